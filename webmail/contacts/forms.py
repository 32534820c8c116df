"""The form of a contact: what a card has, checked like a card of a file."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from mailcore.cards.card import (
    FIELD_CHARS,
    LIST_MAX,
    NAME_CHARS,
    NOTE_CHARS,
    Card,
    make,
    usable_address,
)
from mailcore.personal.address_book import ContactRow
from webmail.preferences.forms import SettingsForm


class ContactForm(SettingsForm):
    """A person: name, address, and what one wants to know of them."""

    name = forms.CharField(label=_("Name"), max_length=NAME_CHARS, required=False)
    address = forms.CharField(label=_("Mail address"), max_length=320)
    more = forms.CharField(
        label=_("Other addresses"),
        max_length=320 * LIST_MAX,
        required=False,
        help_text=_("With commas between."),
    )
    phones = forms.CharField(
        label=_("Telephone"),
        max_length=FIELD_CHARS,
        required=False,
        help_text=_("With commas between."),
    )
    organisation = forms.CharField(label=_("Organisation"), max_length=FIELD_CHARS, required=False)
    groups = forms.CharField(
        label=_("Groups"),
        max_length=FIELD_CHARS,
        required=False,
        help_text=_("With commas between."),
    )
    note = forms.CharField(
        label=_("Note"), max_length=NOTE_CHARS, required=False, widget=forms.Textarea({"rows": 3})
    )

    def clean_address(self) -> str:
        """Return the address as the book keeps it."""
        address = usable_address(self.cleaned_data["address"])
        if not address:
            raise forms.ValidationError(_("This is not a mail address."))
        return address

    def clean_more(self) -> tuple[str, ...]:
        """Return the other addresses as the book keeps them."""
        texts = [text.strip() for text in self.cleaned_data["more"].split(",") if text.strip()]
        for text in texts:
            if not usable_address(text):
                raise forms.ValidationError(
                    _("This is not a mail address: %(text)s"), params={"text": text}
                )
        if len(texts) >= LIST_MAX:
            raise forms.ValidationError(
                _("A contact has at most %(n)d addresses."), params={"n": LIST_MAX}
            )
        return tuple(map(usable_address, texts))

    def card(self) -> Card:
        """Return what was filled in, within the limits of cards."""
        data = self.cleaned_data
        made, _problem = make(
            name=data["name"],
            addresses=[data["address"], *data["more"]],
            phones=data["phones"].split(","),
            organisation=data["organisation"],
            note=data["note"],
            groups=data["groups"].split(","),
        )
        return made


def filled(row: ContactRow) -> dict[str, str]:
    """Return a contact as the form shows it."""
    return {
        "name": row.name,
        "address": row.address,
        "more": ", ".join(row.more),
        "phones": ", ".join(row.phones),
        "organisation": row.organisation,
        "groups": ", ".join(row.groups),
        "note": row.note,
    }
