"""What an operator types to make and change domains, mailboxes, addresses and people.

Only shapes are checked here; the directory has the last word, and its refusals are shown beside
the field they are about.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from webmail.console.forms.fields import ConsoleForm, SizeField, TargetsField, password_field

ROLES = [
    ("read", _("Read")),
    ("send", _("Read, change and send")),
    ("owner", _("Owner")),
]


class NewDomainForm(ConsoleForm):
    """A domain whose mail is to be ours."""

    name = forms.CharField(
        label=_("Domain"),
        max_length=255,
        help_text=_("The part after the @, such as example.org."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )


class DomainForm(ConsoleForm):
    """What can be changed of a domain."""

    is_enabled = forms.BooleanField(label=_("Takes mail"), required=False)
    catch_all = forms.CharField(
        label=_("Catch-all"),
        max_length=320,
        required=False,
        help_text=_(
            "The address of a mailbox that takes what is for nobody else. Empty refuses it."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    default_quota_bytes = SizeField(
        label=_("Quota of a mailbox"),
        required=False,
        help_text=_("Such as 500 MB or 2 GB. Empty is no limit."),
    )
    mailbox_limit = forms.IntegerField(
        label=_("Most mailboxes"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        help_text=_("Empty is no limit."),
    )


class NewMailboxForm(ConsoleForm):
    """A mailbox and the person who owns it."""

    address = forms.CharField(
        label=_("Address"),
        max_length=320,
        help_text=_("In one of your domains. It is also the login of the owner."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    display_name = forms.CharField(label=_("Name"), max_length=200, required=False)
    password = password_field(
        required=False, help_text=_("Leave it empty to have one made and shown once.")
    )
    quota_bytes = SizeField(
        label=_("Quota"),
        required=False,
        help_text=_("Such as 500 MB or 2 GB. Empty takes that of the domain."),
    )

    def clean_password(self) -> str:
        """Refuse a password that is easy to guess."""
        return _checked(self.cleaned_data["password"])


class MailboxForm(ConsoleForm):
    """What can be changed of a mailbox."""

    display_name = forms.CharField(label=_("Name"), max_length=200, required=False)
    quota_bytes = SizeField(
        label=_("Quota"),
        required=False,
        help_text=_("Such as 500 MB or 2 GB. Empty takes that of the domain."),
    )
    is_enabled = forms.BooleanField(label=_("Takes mail"), required=False)


class AccessForm(ConsoleForm):
    """Who may use a mailbox, and how."""

    login = forms.CharField(
        label=_("Login"),
        max_length=320,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial="send")


class NewAliasForm(ConsoleForm):
    """An address that leads to others."""

    address = forms.CharField(
        label=_("Address"),
        max_length=320,
        help_text=_("In one of your domains."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    targets = TargetsField(
        label=_("Leads to"), help_text=_("One address a line, here or anywhere else.")
    )


class AddressForm(ConsoleForm):
    """Where an address leads. `keeps_mailbox` only where there is one to keep or to leave."""

    is_enabled = forms.BooleanField(label=_("Takes mail"), required=False)
    keeps_mailbox = forms.BooleanField(label=_("Keeps mail in its mailbox"), required=False)
    targets = TargetsField(
        label=_("Leads to"),
        required=False,
        help_text=_("One address a line, here or anywhere else."),
    )

    def __init__(self, *args: Any, may_leave_mailbox: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_leave_mailbox:
            del self.fields["keeps_mailbox"]


class NewUserForm(ConsoleForm):
    """A person without a mailbox of their own."""

    login = forms.CharField(
        label=_("Login"),
        max_length=320,
        help_text=_("An address or a plain name."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    password = password_field(
        required=False, help_text=_("Leave it empty to have one made and shown once.")
    )
    is_operator = forms.BooleanField(
        label=_("Operator"), required=False, help_text=_("May see and change everything here.")
    )

    def clean_password(self) -> str:
        """Refuse a password that is easy to guess."""
        return _checked(self.cleaned_data["password"])


class UserForm(ConsoleForm):
    """What can be changed of a person."""

    display_name = forms.CharField(label=_("Name"), max_length=200, required=False)
    is_active = forms.BooleanField(label=_("May sign in"), required=False)
    is_operator = forms.BooleanField(
        label=_("Operator"), required=False, help_text=_("May see and change everything here.")
    )


class PasswordForm(ConsoleForm):
    """A new password of somebody."""

    password = password_field(
        required=False, help_text=_("Leave it empty to have one made and shown once.")
    )

    def clean_password(self) -> str:
        """Refuse a password that is easy to guess."""
        return _checked(self.cleaned_data["password"])


class SetupForm(ConsoleForm):
    """The first operator."""

    login = forms.CharField(
        label=_("Login"),
        max_length=320,
        help_text=_("An address or a plain name."),
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        strip=False,
        help_text=_("At least ten characters, and not a common one."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The same password again"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        """Refuse a password that is easy to guess."""
        return _checked(self.cleaned_data["password"])

    def clean(self) -> dict[str, Any]:
        """Refuse two passwords that differ."""
        data = super().clean() or {}
        if "password" in data and data["password"] != data.get("again"):
            self.add_error("again", _("The two passwords differ."))
        return data


def _checked(password: str) -> str:
    if password:
        validate_password(password)
    return password
