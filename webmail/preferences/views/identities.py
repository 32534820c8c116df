"""Identities: the name and the signature that go with each address one writes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from mailcore.directory import identities as signing
from mailcore.directory import own
from mailcore.directory.own import Own
from webmail.mail.scope import person, signed_in
from webmail.preferences.forms import SettingsForm
from webmail.preferences.frame import saved, show

SIGNATURE = _("Signature")
SIGNATURE_HELP = _("Stands below new messages, and above the quote of answers.")


@dataclass(frozen=True, slots=True)
class Section:
    """The fields of one address."""

    address: str
    fields: tuple[forms.BoundField, ...]


class IdentitiesForm(SettingsForm):
    """Two fields for each address; their names carry the key of its row."""

    def __init__(self, *args: Any, offered: Sequence[Own], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = offered
        for one in offered:
            self.fields |= _fields(one)

    def sections(self) -> Iterator[Section]:
        """Yield the fields, address by address."""
        for one in self.offered:
            names = (f"name_{one.address_id}", f"signature_{one.address_id}")
            yield Section(one.address, tuple(self[name] for name in names))

    def keep(self, user: Any) -> None:
        """Remember what the valid form says."""
        for one in self.offered:
            signing.keep(
                user=user,
                own=one,
                display_name=self.cleaned_data[f"name_{one.address_id}"],
                signature=self.cleaned_data[f"signature_{one.address_id}"],
            )


def _fields(one: Own) -> dict[str, forms.Field]:
    name = forms.CharField(
        label=_("Name"),
        max_length=signing.NAME_CHARS,
        required=False,
        initial=one.name if one.name != one.usual_name else "",
        widget=forms.TextInput(
            attrs={"class": "field__input", "placeholder": one.usual_name, "autocomplete": "off"}
        ),
    )
    signature = forms.CharField(
        label=SIGNATURE,
        max_length=signing.SIGNATURE_CHARS,
        required=False,
        strip=False,
        initial=one.signature,
        help_text=SIGNATURE_HELP,
        widget=forms.Textarea(attrs={"class": "field__input", "rows": 4}),
    )
    return {f"name_{one.address_id}": name, f"signature_{one.address_id}": signature}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def identities(request: HttpRequest) -> HttpResponse:
    """Show names and signatures of all own addresses, or keep them."""
    user = person(request)
    offered = own.addresses(user=user)
    form = IdentitiesForm(request.POST if request.method == "POST" else None, offered=offered)
    if not form.is_valid():
        return show(request, "identities", form)
    form.keep(user)
    return saved(request)
