"""Routes of the address book. Each page is for whoever is signed in, about their own people."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from webmail.contacts import doubles, files, views

app_name = "contacts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("contacts/", views.book, name="book"),
    path("contacts/new/", views.new, name="new"),
    path("contacts/duplicates/", doubles.duplicates, name="duplicates"),
    path("contacts/merge/", doubles.merge, name="merge"),
    path("contacts/import/", files.take_in, name="import"),
    path("contacts/export/<str:kind>/", files.give_out, name="export"),
    path("contacts/<uuid:contact_id>/", views.contact, name="contact"),
    path("contacts/<uuid:contact_id>/delete/", views.delete, name="delete"),
]
