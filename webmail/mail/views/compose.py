"""Writing: a new message, an answer, a draft; saved, sent now or later, or thrown away.

One form, whose buttons say what to do; every one sends all that was typed, so that nothing is
lost. Scripts ask for JSON and get the new version; people get a page or a redirect.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from mailcore.delivery import writing
from mailcore.delivery.writing import Sender, Unsendable
from mailcore.directory.own import Own
from mailcore.store import drafts, drafts_folder, read
from mailcore.store.drafts import Changed, DraftRow, NotOpen, Written
from webmail.mail import answering, composing, copying, forgotten, wording
from webmail.mail.composing import Asked
from webmail.mail.copying import TooLarge
from webmail.mail.saying import undo_tag
from webmail.mail.scope import Scope, change_scope, message_or_404, person, signed_in
from webmail.mail.shell import shell_context
from webmail.pages import local_path

ANSWERS: tuple[answering.How, ...] = ("reply", "reply_all", "forward")


@require_safe
@signed_in
def new(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Show an empty form, or an answer to `?reply=`, `?reply_all=`, `?forward=`; stores nothing."""
    scope = change_scope(request, mailbox_id)
    offered = composing.senders(request, scope)
    start = _beginning(request, scope, offered)
    more: dict[str, Any] = {
        "kind": start.kind,
        "source": start.source,
        "parts": start.parts,
        "rich": start.rich,
        "next": local_path(request, request.GET.get("next", "/")),
    }
    return _form(request, scope, uuid4(), start.written, offered, **more)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def draft(request: HttpRequest, mailbox_id: UUID, draft_id: UUID) -> HttpResponse:
    """Show a draft, or do with it what the pressed button says."""
    scope = change_scope(request, mailbox_id)
    found = drafts.find(mailbox=scope.mailbox, draft_id=draft_id)
    if request.method == "POST":
        return _post(request, scope, draft_id, found)
    if found is None:
        raise Http404
    if found.send_token is not None:
        return _was_sent(request, scope)
    return _form(
        request,
        scope,
        draft_id,
        found.written,
        composing.senders(request, scope),
        draft=found,
        rich=composing.for_editor(scope, found, found.written.html),
        next=local_path(request, request.GET.get("next", "/")),
    )


def _beginning(request: HttpRequest, scope: Scope, offered: list[Own]) -> answering.Beginning:
    first = offered[0].address if offered else ""
    for how in ANSWERS:
        if how in request.GET:
            message = message_or_404(scope, _uuid_or_404(request.GET[how]))
            return answering.answer(message, how, offered)
    if "mailto" in request.GET:
        return answering.mailto(request.GET["mailto"][:20_000], offered)
    to, signed = request.GET.get("to", "")[:1000], answering.signature(offered, first)
    return answering.Beginning(Written(sender=first, to=to, text=signed))


def _form(
    request: HttpRequest,
    scope: Scope,
    draft_id: UUID,
    written: Written,
    offered: list[Own],
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    folders = read.list_folders(mailbox=scope.mailbox)
    context = {
        **shell_context(scope, folders),
        **composing.page(scope, draft_id, written, offered, **more),
    }
    return render(request, "mail/compose.html", context, status=status)


def _post(
    request: HttpRequest, scope: Scope, draft_id: UUID, found: DraftRow | None
) -> HttpResponse:
    asked = composing.parse(request, scope, found)
    if asked is None:
        return HttpResponseBadRequest(_("This request names no action."))
    offered = composing.senders(request, scope)
    sender = composing.sender_of(offered, asked.written.sender)
    if sender is None:
        raise PermissionDenied
    if asked.intent == "resolve":
        return _resolve(request, scope, draft_id, found, asked)
    try:
        saved = _save(request, scope, draft_id, asked)
        return _act(request, scope, saved, asked, sender)
    except Changed as error:
        return _refused(
            request, scope, draft_id, asked, offered, draft=found, conflict=error.current
        )
    except NotOpen as error:
        if found is None or found.send_token is None:
            found = drafts.find(mailbox=scope.mailbox, draft_id=draft_id)
        if found is None:
            raise Http404 from error
        return _was_sent(request, scope, is_repeat=found.send_token == asked.token, back=asked.next)
    except (Unsendable, TooLarge) as error:
        current = drafts.find(mailbox=scope.mailbox, draft_id=draft_id)
        if current is not None and current.send_token is None:
            now = timezone.now()  # whoever gives up here finds every word in Drafts
            writing.keep_twin(mailbox=scope.mailbox, draft=current, sender=sender, now=now)
        fault = wording.fault(error, max_bytes=composing.files_max_bytes())
        return _refused(request, scope, draft_id, asked, offered, draft=current, fault=fault)


def _save(request: HttpRequest, scope: Scope, draft_id: UUID, asked: Asked) -> DraftRow:
    """Save words, then files. Raises Changed, NotOpen, TooLarge, OSError."""
    now = timezone.now()
    is_first = drafts.find(mailbox=scope.mailbox, draft_id=draft_id) is None
    saved = drafts.save(
        mailbox=scope.mailbox,
        author_id=person(request).pk,
        draft_id=draft_id,
        version=asked.version,
        written=asked.written,
        kind=asked.kind,
        answers=asked.source,
        now=now,
    )
    if is_first:
        copying.copy_parts(scope=scope, draft=saved, asked=asked, now=now)
    uploads = request.FILES.getlist("file")
    if uploads:
        current = drafts.find(mailbox=scope.mailbox, draft_id=draft_id) or saved
        copying.add_uploads(draft=current, files=uploads, pictures=asked.is_picture, now=now)
    elif asked.is_plain and any(file.content_id for file in saved.files):
        drafts.detach_pictures(draft=saved)
    return drafts.find(mailbox=scope.mailbox, draft_id=draft_id) or saved


def _act(
    request: HttpRequest, scope: Scope, saved: DraftRow, asked: Asked, sender: Sender
) -> HttpResponse:
    if asked.intent in {"send", "later"}:
        return _send(request, scope, saved, asked, sender)
    if asked.intent == "discard":
        return _discard(request, scope, saved, asked, sender)
    if asked.intent == "remove":
        drafts.remove_files(draft=saved, file_ids=_ids(asked.value))
        saved = drafts.find(mailbox=scope.mailbox, draft_id=saved.id) or saved
    now = timezone.now()
    is_plain = not wording.wants_json(request)
    if is_plain or asked.is_leaving or drafts_folder.is_due(draft=saved, now=now):
        writing.keep_twin(mailbox=scope.mailbox, draft=saved, sender=sender, now=now)
    if not is_plain:
        return wording.saved(request, scope, saved, is_picture=asked.is_picture)
    if asked.intent == "save":
        messages.success(request, _("Draft saved."))
    return _to_draft(scope, saved.id, asked.next)


def _send(
    request: HttpRequest, scope: Scope, saved: DraftRow, asked: Asked, sender: Sender
) -> HttpResponse:
    if "sure" not in request.POST and forgotten.is_file_missing(saved):
        raise Unsendable("forgotten", text=asked.intent)
    now = timezone.now()
    try:
        not_before = composing.leaves_at(asked, request.POST, now=now)
    except ValueError as error:
        raise Unsendable("time", field="at") from error
    writing.send(
        mailbox=scope.mailbox,
        user=person(request),
        draft=saved,
        sender=sender,
        token=asked.token,
        not_before=not_before,
        now=now,
    )
    text = wording.sent(asked.intent, not_before)
    messages.success(request, text, extra_tags=f"draft:{saved.id}" if not_before else "")
    return _see_other(asked.next)


def _discard(
    request: HttpRequest, scope: Scope, saved: DraftRow, asked: Asked, sender: Sender
) -> HttpResponse:
    now = timezone.now()
    done = writing.discard(mailbox=scope.mailbox, draft=saved, sender=sender, now=now)
    messages.success(request, _("Draft discarded."), extra_tags=undo_tag(done, scope.mailbox))
    return _see_other(asked.next)


def _resolve(
    request: HttpRequest, scope: Scope, draft_id: UUID, found: DraftRow | None, asked: Asked
) -> HttpResponse:
    """Two windows wrote: keep these words, the others, or both as two drafts."""
    if found is None:
        raise Http404
    if asked.value == "theirs":
        return _to_draft(scope, draft_id, asked.next)
    is_copy = asked.value == "both"
    target = uuid4() if is_copy else draft_id
    try:
        drafts.save(
            mailbox=scope.mailbox,
            author_id=person(request).pk,
            draft_id=target,
            version=0 if is_copy else found.version,
            written=asked.written,
            kind=found.kind,
            answers=found.answers,
            now=timezone.now(),
        )
    except (Changed, NotOpen):
        return _was_sent(request, scope, back=asked.next)
    return _to_draft(scope, target, asked.next)


def _refused(
    request: HttpRequest,
    scope: Scope,
    draft_id: UUID,
    asked: Asked,
    offered: list[Own],
    **more: Any,
) -> HttpResponse:
    """Show the form again with every word in it, and say what is wrong."""
    status = 409 if more.get("conflict") else 422
    if wording.wants_json(request):
        return wording.not_saved(request, status=status, **more)
    known: DraftRow | None = more["draft"]
    more["version"] = asked.version if status == 409 or known is None else known.version
    more.setdefault("kind", asked.kind)
    rich = composing.for_editor(scope, known, asked.written.html)
    return _form(
        request,
        scope,
        draft_id,
        asked.written,
        offered,
        status=status,
        next=asked.next,
        source=asked.source,
        rich=rich,
        **more,
    )


def _was_sent(
    request: HttpRequest, scope: Scope, *, is_repeat: bool = False, back: str = ""
) -> HttpResponse:
    """Answer a second click like the first; tell anybody else that the draft has gone."""
    if wording.wants_json(request):
        return wording.not_saved(request, status=410)
    if not is_repeat:
        messages.info(request, _("This message was sent already."))
    return _see_other(back or reverse("mail:inbox", args=[scope.mailbox.public_id]))


def _to_draft(scope: Scope, draft_id: UUID, back: str) -> HttpResponse:
    path = reverse("mail:draft", args=[scope.mailbox.public_id, draft_id])
    return _see_other(f"{path}?{urlencode({'next': back})}" if back != "/" else path)


def _see_other(path: str) -> HttpResponse:
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response


def _ids(value: str) -> list[UUID]:
    try:
        return [UUID(value)]
    except ValueError:
        return []


def _uuid_or_404(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise Http404 from error
