"""What a person decides about who sent a message: show remote images always, or send to Junk.

And whether it is somebody to keep as a contact. Lists and contacts belong to the person, not to the
mailbox, so who may only read may use them too.
"""

from __future__ import annotations

import contextlib
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mailcore.cards.card import make
from mailcore.personal import address_book, senders
from mailcore.store.read import MessageView
from webmail.mail.scope import message_or_404, person, scope_or_404, signed_in
from webmail.pages import local_path

VERBS = ("trust", "untrust", "block", "unblock", "add")


@require_POST
@signed_in
def judge(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Do what the pressed button says about the sender of a message, then go back."""
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    verb = next((name for name in VERBS if name in request.POST), "")
    if not verb:
        return HttpResponseBadRequest(_("This request names no action."))
    address = message.from_address
    try:
        if verb == "add":
            _add(request, message)
        else:
            getattr(senders, verb)(person(request), address)
    except senders.SenderRefused as refused:
        messages.error(request, _fault(refused.reason))
    else:
        messages.success(request, _said(verb) % {"address": address})
    response = HttpResponseRedirect(local_path(request, request.POST.get("next", "/")))
    response.status_code = 303
    return response


def _add(request: HttpRequest, message: MessageView) -> None:
    """Keep the sender as a contact; who is one already stays as they are. Raises SenderRefused."""
    card, problem = make(
        name=message.from_name,
        addresses=[message.from_address],
        phones=[],
        organisation="",
        note="",
        groups=[],
    )
    if problem:
        raise senders.SenderRefused("address")
    with contextlib.suppress(address_book.AddressTaken):
        if address_book.save(user=person(request), contact_id=None, card=card) is None:
            raise senders.SenderRefused("book")


def _fault(reason: str) -> str:
    return {
        "full": _("The list is full."),
        "book": _("The address book is full."),
        "address": _("The message names no sender."),
    }[reason]


def _said(verb: str) -> str:
    return {
        "add": _("%(address)s is in your contacts"),
        "trust": _("Images from %(address)s are always shown"),
        "untrust": _("Images from %(address)s are no longer shown"),
        "block": _("New mail from %(address)s will go to Junk"),
        "unblock": _("New mail from %(address)s will no longer go to Junk"),
    }[verb]
