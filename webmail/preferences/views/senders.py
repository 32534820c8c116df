"""Whom a person blocks and trusts: two lists, each with a field to add to it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from mailcore.personal import senders
from webmail.mail.scope import person, signed_in
from webmail.preferences.forms import BlockForm, SettingsForm, TrustForm
from webmail.preferences.frame import saved, show

_FORMS: dict[str, type[SettingsForm]] = {"blocked": BlockForm, "trusted": TrustForm}
_ADD = {"blocked": senders.block, "trusted": senders.trust}
_REMOVE = {"blocked": senders.unblock, "trusted": senders.untrust}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def sender_lists(request: HttpRequest) -> HttpResponse:
    """Show both lists; add an address to the one that the form names."""
    user = person(request)
    which = request.POST.get("list", "")
    forms = {
        name: form_class(request.POST if name == which else None, prefix=name)
        for name, form_class in _FORMS.items()
    }
    form = forms.get(which)
    if request.method == "POST" and form is None:
        return HttpResponseBadRequest(_("This request names no action."))
    if form is not None and form.is_valid():
        try:
            kept = _ADD[which](user, form.cleaned_data["address"])
        except senders.SenderRefused as refused:
            form.add_error("address", _reason(refused))
        else:
            text = _("%(name)s was added.") % {"name": kept}
            return saved(request, text=text)
    context = {
        "blocking": forms["blocked"],
        "trusting": forms["trusted"],
        "blocked": senders.list_blocked(user),
        "trusted": senders.list_trusted(user),
    }
    return show(request, "senders", form or forms["blocked"], **context)


@require_POST
@signed_in
def remove_sender(request: HttpRequest) -> HttpResponse:
    """Take an address off a list."""
    remove = _REMOVE.get(request.POST.get("list", ""))
    if remove is None:
        return HttpResponseBadRequest(_("This request names no action."))
    address = request.POST.get("address", "")[:320].replace("\0", "")
    is_gone = remove(person(request), address)
    text = _("%(name)s was removed.") % {"name": address} if is_gone else _("Nothing was changed.")
    return saved(request, reverse("settings:senders"), text)


def _reason(refused: senders.SenderRefused) -> str:
    texts = {
        "address": _("Write an address such as news@example.org."),
        "full": _("The list is full. Take something off it first."),
    }
    return texts[refused.reason]
