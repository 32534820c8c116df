"""Pages whose form is kept as preferences: general, appearance, reading, keyboard, notifications.

Theme and language are cookies too, so that pages before the sign-in know them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from mailcore.directory import users
from mailcore.personal import preferences
from webmail.mail.scope import person, signed_in
from webmail.middleware import theme
from webmail.pages import remember_language, remember_theme
from webmail.preferences.forms import (
    AppearanceForm,
    GeneralForm,
    KeyboardForm,
    NotificationsForm,
    ReadingForm,
    SettingsForm,
)
from webmail.preferences.frame import saved, show


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Go to the first page."""
    return redirect("settings:general")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def general(request: HttpRequest) -> HttpResponse:
    """Name, language, zone and clock."""
    user = person(request)
    initial = {
        "display_name": user.display_name,
        "language": get_language(),
        "timezone": user.timezone,
        "hours": preferences.of_user(user).hours or "24",
    }
    form = GeneralForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        return show(request, "general", form)
    chosen = form.cleaned_data
    users.set_person(
        user_id=user.pk,
        display_name=chosen["display_name"],
        locale=chosen["language"],
        timezone=chosen["timezone"],
    )
    if chosen["hours"]:
        preferences.save(user, hours=chosen["hours"])
    response = saved(request)
    remember_language(response, chosen["language"])
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def appearance(request: HttpRequest) -> HttpResponse:
    """Theme, density and reading pane."""
    return _kept(request, AppearanceForm, "appearance", theme=theme(request))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def reading(request: HttpRequest) -> HttpResponse:
    """Conversations, snippets, marking as read, where to go."""
    return _kept(request, ReadingForm, "reading")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def keyboard(request: HttpRequest) -> HttpResponse:
    """Shortcuts on or off, and what they are."""
    return _kept(request, KeyboardForm, "keyboard")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def notifications(request: HttpRequest) -> HttpResponse:
    """Notifications of the browser."""
    return _kept(request, NotificationsForm, "notifications")


def _kept(
    request: HttpRequest, form_class: type[SettingsForm], template: str, **initial: Any
) -> HttpResponse:
    """Show a form of preferences, or keep what it says; the theme goes into its cookie."""
    user = person(request)
    now = asdict(preferences.of_user(user))
    form = form_class(
        request.POST if request.method == "POST" else None, initial={**now, **initial}
    )
    if not form.is_valid():
        return show(request, template, form)
    chosen = dict(form.cleaned_data)
    chosen_theme = chosen.pop("theme", "")
    preferences.save(user, **chosen)
    response = saved(request)
    if chosen_theme:
        remember_theme(response, chosen_theme)
    return response
