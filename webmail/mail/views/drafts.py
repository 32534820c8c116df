"""A draft found by its twin in Drafts, and a message that was sent and has not left yet: undo."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailcore.delivery import writing
from mailcore.store import drafts
from webmail.mail import composing
from webmail.mail.scope import change_scope, message_or_404, person, signed_in
from webmail.pages import local_path


@require_safe
@signed_in
def edit(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Open the draft that a message in Drafts shows; one of another program is only shown."""
    scope = change_scope(request, mailbox_id)
    message = message_or_404(scope, message_id)
    draft_id = drafts.of_message(mailbox=scope.mailbox, message_id=message.id)
    if draft_id is not None:
        return redirect("mail:draft", mailbox_id, draft_id)
    messages.info(request, _("This draft was made by another program and can only be read here."))
    return redirect("mail:thread", mailbox_id, message.thread_id)


@require_POST
@signed_in
def unsend(request: HttpRequest, mailbox_id: UUID, draft_id: UUID) -> HttpResponse:
    """Take a message back and open it again, or say that it has left."""
    scope = change_scope(request, mailbox_id)
    draft = drafts.find(mailbox=scope.mailbox, draft_id=draft_id)
    if draft is None:
        raise Http404
    sender = composing.sender_of(composing.senders(request, scope), draft.written.sender)
    is_open = draft.send_token is None or (
        sender is not None
        and writing.take_back(
            mailbox=scope.mailbox,
            draft=draft,
            sender=sender,
            now=timezone.now(),
            by=person(request).login,
        )
    )
    if is_open:
        path = reverse("mail:draft", args=[mailbox_id, draft_id])
    else:
        messages.info(request, _("It is too late: the message has left."))
        path = local_path(request, request.POST.get("next", "/"))
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response
