"""What all forms of the console share: look of the fields, sizes, refusals beside their field."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailcore.directory.errors import (
    AlreadyExists,
    DirectoryError,
    LimitReached,
    NotFound,
)

_SIZE = re.compile(r"(\d{1,12})(?:[.,](\d{1,3}))?\s*([KMGT]?)I?B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
SIZE_MAX = 2**62


class ConsoleForm(forms.Form):
    """A form whose fields look as the style guide says, and that can take a service's no."""

    use_required_attribute = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            is_check = isinstance(field, forms.BooleanField)
            is_choice = isinstance(field, forms.ChoiceField)
            look = "check__input" if is_check else "select" if is_choice else "field__input"
            field.widget.attrs.setdefault("class", look)

    def refuse(self, error: DirectoryError, field: str | None = None) -> None:
        """Say beside `field` why the directory did not do it."""
        self.add_error(field, reason(error))


def reason(error: DirectoryError) -> str:
    """Return why the directory did not do it, for a person."""
    if isinstance(error, AlreadyExists):
        return _("%(name)s exists already.") % {"name": error.name}
    if isinstance(error, NotFound):
        return _("%(name)s does not exist here.") % {"name": error.name}
    if isinstance(error, LimitReached):
        return _("%(name)s may have no more mailboxes: raise its limit first.") % {
            "name": error.name
        }
    return _("%(name)s cannot be used here.") % {"name": error.name}


class SizeField(forms.Field):
    """A number of octets as people write it: 500 MB, 2G, 1.5 GB; empty is None."""

    def to_python(self, value: Any) -> Any:
        """Return the octets. Raises ValidationError."""
        text = str(value or "").strip()
        if not text:
            return None
        match = _SIZE.fullmatch(text)
        if match is None:
            raise ValidationError(_("Write a size such as 500 MB or 2 GB."))
        unit = _UNITS[match[3].upper()]
        octets = int(match[1]) * unit + int(float(f"0.{match[2] or 0}") * unit)
        if octets > SIZE_MAX:
            raise ValidationError(_("Write a size such as 500 MB or 2 GB."))
        return octets

    def prepare_value(self, value: Any) -> Any:
        """Return the text of a stored number, in the largest unit that is whole."""
        if not isinstance(value, int):
            return value
        for letter in ("T", "G", "M", "K"):
            if value and value % _UNITS[letter] == 0:
                return f"{value // _UNITS[letter]} {letter}B"
        return str(value)


class TargetsField(forms.CharField):
    """Addresses, one a line or with commas between them."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20_000, **kwargs)
        self.widget.attrs |= {"rows": 4, "spellcheck": "false", "autocapitalize": "none"}

    def to_python(self, value: Any) -> Any:
        """Return the addresses as a list; they are checked by the directory."""
        text = super().to_python(value) or ""
        return [part.strip() for part in re.split(r"[\n,]", text) if part.strip()]

    def prepare_value(self, value: Any) -> Any:
        """Return the lines of a list."""
        return "\n".join(value) if isinstance(value, list | tuple) else value


def password_field(**kwargs: Any) -> forms.CharField:
    """Return a field for a new password of somebody else: shown as it is typed."""
    attrs = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
    kwargs.setdefault("label", gettext_lazy("Password"))
    return forms.CharField(
        max_length=1024, strip=False, widget=forms.TextInput(attrs=attrs), **kwargs
    )
