"""The sign-in form: a login and a password, checked by the one authenticate() of all doors."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class SignInForm(forms.Form):
    """What a person types to sign in."""

    login = forms.CharField(label=_("Address"), max_length=320, strip=True)
    password = forms.CharField(label=_("Password"), max_length=1024, strip=False)
