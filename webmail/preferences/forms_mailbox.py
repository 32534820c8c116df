"""Forms of what belongs to a mailbox: folders and labels. The store's refusals are worded here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailcore.store import folders, labels
from mailcore.store.rows import FolderRow
from webmail.preferences.forms import SettingsForm

HUE_NAMES = [
    gettext_lazy("Red"),
    gettext_lazy("Orange"),
    gettext_lazy("Amber"),
    gettext_lazy("Yellow"),
    gettext_lazy("Green"),
    gettext_lazy("Emerald"),
    gettext_lazy("Turquoise"),
    gettext_lazy("Sky blue"),
    gettext_lazy("Blue"),
    gettext_lazy("Violet"),
    gettext_lazy("Magenta"),
    gettext_lazy("Pink"),
]


class FolderForm(SettingsForm):
    """The name of a folder and where it lies."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=folders.NAME_MAX, strip=True)
    parent = forms.ChoiceField(label=gettext_lazy("In"), required=False)

    def __init__(self, *args: Any, rows: Iterable[FolderRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["parent"]
        assert isinstance(field, forms.ChoiceField)
        inside = [(str(row.public_id), "– " * row.depth + row.name) for row in rows]
        field.choices = [("", _("no other folder")), *inside]

    @property
    def parent_id(self) -> UUID | None:
        """The public id of the chosen parent."""
        chosen = self.cleaned_data["parent"]
        return UUID(chosen) if chosen else None

    def refuse(self, refused: folders.FolderRefused) -> None:
        """Say beside a field why the folder cannot be so."""
        field = "name" if refused.reason in {"name", "taken"} else "parent"
        self.add_error(field, folder_reason(refused))


class LabelForm(SettingsForm):
    """The name and the colour of a label."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=labels.NAME_MAX, strip=True)
    hue = forms.TypedChoiceField(
        label=gettext_lazy("Colour"),
        coerce=int,
        choices=list(enumerate(HUE_NAMES)),
        widget=forms.RadioSelect,
    )

    def refuse(self, refused: labels.LabelRefused) -> None:
        """Say beside the name why the label cannot be so."""
        self.add_error("name", label_reason(refused))


def folder_reason(refused: folders.FolderRefused) -> str:
    """Return why a folder cannot be so, for a person."""
    texts = {
        "name": _("A name has 1 to 255 characters, without / and control characters."),
        "taken": _("There is a folder of that name already."),
        "depth": _("Folders go at most ten deep."),
        "cycle": _("A folder cannot lie in itself."),
        "role": _("This folder has a task and stays as it is."),
    }
    return texts[refused.reason]


def label_reason(refused: labels.LabelRefused) -> str:
    """Return why a label cannot be so, for a person."""
    texts = {
        "name": _("A name has 1 to 60 characters that can be seen."),
        "taken": _("There is a label of that name already."),
        "full": _("A mailbox has at most 63 labels. Delete one first."),
        "hue": _("Choose a colour."),
    }
    return texts[refused.reason]
