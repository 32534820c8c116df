"""What the compose page says: faults in plain words, what was saved, when it will be sent.

For scripts the same as JSON: the new version, the line that says so, the list of files.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailcore.delivery.explanations import explain
from mailcore.delivery.writing import Unsendable
from mailcore.store.drafts import DraftRow
from webmail import clock
from webmail.mail import composing
from webmail.mail.copying import TooLarge
from webmail.mail.scope import Scope

FIELDS = ("to", "cc", "bcc", "subject", "sender", "at")


def wants_json(request: HttpRequest) -> bool:
    """Say whether a script asks."""
    return "application/json" in request.headers.get("Accept", "")


def fault(error: Unsendable | TooLarge, *, max_bytes: int) -> dict[str, str]:
    """Return the field that is to blame, '' for none, and a sentence about it.

    `sure`: the button that was pressed, when pressing it again sends all the same.
    """
    if isinstance(error, TooLarge):
        text = _("%(name)s does not fit: all files together may have %(size)s.")
        return {"field": "file", "text": text % {"name": error.name, "size": _size(max_bytes)}}
    field = error.field if error.field in FIELDS else ""
    sure = error.text if error.problem == "forgotten" else ""
    return {"field": field, "text": _unsendable(error), "sure": sure}


def _unsendable(error: Unsendable) -> str:
    if error.problem == "nobody":
        return _("Say whom the message is for.")
    if error.problem == "address":
        return _("“%(text)s” is not a mail address.") % {"text": error.text}
    if error.problem == "many":
        return _("That is more than 1000 recipients. Write to fewer people at a time.")
    if error.problem == "field":
        return _("There are characters in this field that a message cannot carry. Type it anew.")
    if error.problem == "time":
        return _("Choose a time in the future, at most a year ahead.")
    if error.problem == "forgotten":
        return _("You write of an attachment, but there is none. Attach it, or send again.")
    if error.problem == "from":
        return _("You cannot write from that address.")
    return _refused(error)


def _refused(error: Unsendable) -> str:
    if error.reply is None:
        return _("The message could not be sent.")
    happened = str(explain(error.reply).happened)
    return f"{error.text}: {happened}" if error.text else happened


def sent(intent: str, not_before: datetime | None) -> str:
    """Say that a message was sent, or when it will be."""
    if intent == "later" and not_before is not None:
        at = clock.shown(timezone.localtime(not_before), _("D j M Y, H:i"))
        return _("Will be sent on %(at)s.") % {"at": at}
    if not_before is not None:
        seconds = int(settings.SEND_UNDO.total_seconds())
        text = ngettext("Sending in %(n)d second.", "Sending in %(n)d seconds.", seconds)
        return text % {"n": seconds}
    return _("Message sent.")


def saved(
    request: HttpRequest, scope: Scope, draft: DraftRow, *, is_picture: bool = False
) -> HttpResponse:
    """Answer a script whose words were saved; after a picture, with its address."""
    last = draft.files[-1] if draft.files and is_picture else None
    at = clock.shown(timezone.localtime(draft.updated_at))
    context = {
        "mailbox": scope.mailbox,
        "draft_id": draft.id,
        "files": [file for file in draft.files if not file.content_id],
    }
    return JsonResponse(
        {
            "version": draft.version,
            "saved": _("Saved at %(time)s") % {"time": at},
            "size": draft.size_bytes,
            "picture": composing.file_url(scope, draft, last.id)
            if last and last.content_id
            else "",
            "files": render_to_string("mail/compose_files.html", context, request=request),
        }
    )


def not_saved(request: HttpRequest, *, status: int, **more: Any) -> HttpResponse:
    """Answer a script whose words were not saved: 409 changed elsewhere, 410 sent, 422 a fault."""
    found: dict[str, str] = more.get("fault") or {}
    return JsonResponse(
        {"text": found.get("text", ""), "field": found.get("field", "")}, status=status
    )


def _size(size_bytes: int) -> str:
    return str(filesizeformat(size_bytes))
