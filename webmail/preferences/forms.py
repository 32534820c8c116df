"""Forms of the settings: what can be chosen, in words. The services check again."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

THEMES = [("system", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))]


@cache
def _zones() -> list[tuple[str, Any]]:
    """Return the zones of the system, grouped by region, and what stands for none."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        region, slash, place = name.partition("/")
        if slash and region not in {"Etc", "SystemV", "US"}:
            groups.setdefault(region, []).append((name, place.replace("_", " ")))
    return [("", "UTC"), *groups.items()]


class SettingsForm(forms.Form):
    """A form whose fields look as the style guide says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, forms.RadioSelect):
                look = "radio__input"
            elif isinstance(field, forms.BooleanField):
                look = "check__input"
            else:
                look = "select" if isinstance(field, forms.ChoiceField) else "field__input"
            field.widget.attrs.setdefault("class", look)


def radios(**kwargs: Any) -> forms.ChoiceField:
    """Return a field whose few choices all show."""
    return forms.ChoiceField(widget=forms.RadioSelect, **kwargs)


class GeneralForm(SettingsForm):
    """Who one is, and in which language, zone and clock one reads."""

    display_name = forms.CharField(
        label=_("Name"),
        max_length=200,
        required=False,
        help_text=_("Shown in your account. What others see stands in your identities."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    timezone = forms.ChoiceField(label=_("Time zone"), choices=_zones, required=False)
    hours = radios(
        label=_("Clock"),
        required=False,
        choices=[("24", _("24 hours: 14:05")), ("12", _("12 hours: 2:05 PM"))],
    )


class AppearanceForm(SettingsForm):
    """How pages look."""

    theme = radios(label=_("Theme"), choices=THEMES)
    density = radios(
        label=_("Density of lists"),
        choices=[
            ("compact", _("Compact")),
            ("normal", _("Normal")),
            ("relaxed", _("Relaxed")),
        ],
    )
    reading_pane = radios(
        label=_("Reading pane"),
        choices=[
            ("right", _("Beside the list")),
            ("off", _("Off: a message takes the place of the list")),
        ],
    )


class ReadingForm(SettingsForm):
    """What happens while one reads."""

    conversations = forms.BooleanField(
        label=_("Group messages into conversations"),
        required=False,
        help_text=_("Off, every message has a line of its own."),
    )
    show_snippet = forms.BooleanField(
        label=_("Show the beginning of the text in lists"), required=False
    )
    mark_read = radios(
        label=_("Mark an opened message as read"),
        choices=[
            ("at_once", _("At once")),
            ("after_2s", _("After two seconds")),
            ("never", _("Only when I say so")),
        ],
    )
    after_action = radios(
        label=_("After archiving, moving or deleting go to"),
        choices=[
            ("list", _("the list")),
            ("next", _("the next conversation")),
            ("previous", _("the previous conversation")),
        ],
    )


class KeyboardForm(SettingsForm):
    """Whether single letters are commands (WCAG 2.1.4)."""

    keys = forms.BooleanField(
        label=_("Single-key shortcuts"),
        required=False,
        help_text=_("Off, letters do nothing outside of fields."),
    )


class NotificationsForm(SettingsForm):
    """Whether the browser tells of new mail."""

    notifications = forms.BooleanField(
        label=_("Tell me of new mail while a page is open"),
        required=False,
        help_text=_("The browser asks once whether this site may. Nothing is sent to others."),
    )


def _secret(label: Any, autocomplete: str, **kwargs: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=1024, strip=False, widget=widget, **kwargs)


class PasswordForm(SettingsForm):
    """A new password for oneself; the present one is asked for."""

    password = _secret(_("Present password"), "current-password")
    new = _secret(
        _("New password"),
        "new-password",
        help_text=_("At least ten characters. A few words in a row are easy to keep."),
    )
    again = _secret(_("New password once more"), "new-password")

    def clean(self) -> dict[str, Any]:
        """Say beside the second field when the two differ."""
        given = self.cleaned_data
        if "again" in given and given.get("new") not in {None, given["again"]}:
            self.add_error("again", _("The two new passwords differ."))
        return given


def _address(help_text: Any) -> forms.CharField:
    attrs = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
    return forms.CharField(
        label=_("Address"),
        max_length=320,
        help_text=help_text,
        widget=forms.TextInput(attrs=attrs),
    )


class BlockForm(SettingsForm):
    """An address or domain whose mail goes to Junk."""

    address = _address(_("Or a whole domain, such as @example.org."))


class TrustForm(SettingsForm):
    """An address whose remote images are shown."""

    address = _address("")
