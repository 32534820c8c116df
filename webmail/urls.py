"""Routes of the site: sign-in, mail, settings, console, setup, health."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from webmail import pages
from webmail.console.views import captured, setup

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="mail:home"), name="root"),
    path("", include("webmail.accounts.urls")),
    path("", include("webmail.mail.urls")),
    path("", include("webmail.contacts.urls")),
    path("", include("webmail.preferences.urls")),
    path("", include("webmail.console.urls")),
    path("u/captured/<str:token>/", captured.image, name="console_image"),
    path("setup/<str:token>/", setup.setup, name="setup"),
    path("preferences/", pages.preferences, name="preferences"),
    path("styleguide/", pages.styleguide, name="styleguide"),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
]

handler400 = "webmail.pages.bad_request"
handler403 = "webmail.pages.permission_denied"
handler404 = "webmail.pages.not_found"
handler500 = "webmail.pages.server_error"
