"""Routes of signing in and out."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from webmail.accounts import views

app_name = "accounts"
urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", views.sign_in, name="login"),
    path("logout/", views.sign_out, name="logout"),
]
