"""What the compose page asks for and shows: its form, its senders, when a message may leave.

Parses and prepares only; `mailcore.delivery.writing` and `store.drafts` do the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from mailcore.delivery.writing import Sender
from mailcore.directory import own
from mailcore.html import outgoing
from mailcore.store.drafts import DraftRow, Written
from webmail.mail.scope import Scope, person
from webmail.pages import local_path

Intent = Literal["send", "later", "save", "attach", "remove", "discard", "resolve"]
INTENTS: tuple[Intent, ...] = ("resolve", "discard", "remove", "attach", "later", "send", "save")
TEXT_MAX = 1_000_000
MORNING = time(8, 0)
LATER_MAX = timedelta(days=366)
# Base64 makes 4 octets of 3 and adds a line end to 76; the rest is room for text and header.
FILES_SHARE = 0.72


@dataclass(frozen=True, slots=True)
class Asked:
    """A posted form. `value` is that of the pressed button; `version` 0 is a first save.

    `is_plain`: there is no editor; `is_picture`: its files are for the text.
    """

    intent: Intent
    value: str
    written: Written
    version: int
    token: UUID
    kind: str
    source: UUID | None
    parts: Sequence[str]
    is_leaving: bool
    is_plain: bool
    is_picture: bool
    next: str


def files_max_bytes() -> int:
    """Return how many octets of files fit into a message."""
    return int(settings.MESSAGE_SIZE_LIMIT * FILES_SHARE)


def parse(request: HttpRequest, scope: Scope, draft: DraftRow | None) -> Asked | None:
    """Return what the form says, or None when it is none of ours."""
    data = request.POST
    intent = next((name for name in INTENTS if name in data), None)
    token, version = _uuid(data.get("token", "")), data.get("version", "")
    if intent is None or token is None or not version.isdecimal() or len(version) > 9:
        return None
    kind = data.get("kind", "")
    return Asked(
        intent=intent,
        value=data.get(intent, ""),
        written=_written(data, image_addresses(scope, draft)),
        version=int(version),
        token=token,
        kind=kind if kind in {"reply", "forward"} else "",
        source=_uuid(data.get("source", "")),
        parts=data.getlist("part")[:100],
        is_leaving="leave" in data,
        is_plain="html" not in data,
        is_picture=data.get("attach") == "picture",
        next=local_path(request, data.get("next", "/")),
    )


def _written(data: QueryDict, images: dict[str, str]) -> Written:
    html = outgoing.clean(data.get("html", "")[:TEXT_MAX], images=images)
    text = data.get("text", "")[:TEXT_MAX].replace("\r\n", "\n").replace("\r", "\n")
    if html:
        text = ""
    values = {name: data.get(name, "")[:20_000] for name in ("sender", "to", "cc", "bcc")}
    subject = data.get("subject", "")[:998].replace("\t", " ")
    return Written(**values, subject=subject, text=text, html="" if _blank(html) else html)


def _blank(html: str) -> bool:
    return not html or outgoing.is_blank(html)


def image_addresses(scope: Scope, draft: DraftRow | None) -> dict[str, str]:
    """Return where the editor finds the images of a draft, and their Content-IDs."""
    if draft is None:
        return {}
    return {
        file_url(scope, draft, file.id): file.content_id for file in draft.files if file.content_id
    }


def file_url(scope: Scope, draft: DraftRow, file_id: UUID) -> str:
    """Return the address of a file of a draft."""
    return reverse("mail:draft_file", args=[scope.mailbox.public_id, draft.id, file_id])


def for_editor(scope: Scope, draft: DraftRow | None, html: str) -> str:
    """Return HTML of the draft with addresses in place of Content-IDs."""
    for address, content_id in image_addresses(scope, draft).items():
        html = html.replace(f'src="cid:{content_id}"', f'src="{address}"')
    return html


def senders(request: HttpRequest, scope: Scope) -> list[own.Own]:
    """Return the addresses that the person may write from, those of this mailbox first."""
    return own.addresses(user=person(request), first=scope.mailbox)


def sender_of(offered: Sequence[own.Own], address: str) -> Sender | None:
    """Return the chosen sender, the first one when none is chosen; None when nobody may write."""
    chosen = next((one for one in offered if one.address == address), None)
    first = chosen or next(iter(offered), None)
    return Sender(first.address, first.name) if first else None


def leaves_at(asked: Asked, data: QueryDict, *, now: datetime) -> datetime | None:
    """Return when a message shall leave, None for at once. Raises ValueError.

    `send` waits for SEND_UNDO; `later` names tomorrow, monday, or a time of the form, which are
    the person's: in the time zone that the browser names, else in that of the account.
    """
    if asked.intent != "later":
        return now + settings.SEND_UNDO if settings.SEND_UNDO else None
    zone = _zone(data.get("zone", ""))
    local = now.astimezone(zone)
    if asked.value in {"tomorrow", "monday"}:
        days = 1 if asked.value == "tomorrow" else 7 - local.weekday()
        return datetime.combine(local.date() + timedelta(days=days), MORNING, zone)
    at = parse_datetime(data.get("at", "")[:30])
    if at is None:
        raise ValueError("no time")
    at = at if timezone.is_aware(at) else at.replace(tzinfo=zone)
    if not now < at <= now + LATER_MAX:
        raise ValueError("not in the next year")
    return at


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name and len(name) < 64 else timezone.get_current_timezone()
    except (KeyError, ValueError, OSError):
        return timezone.get_current_timezone()


def page(
    scope: Scope,
    draft_id: UUID,
    written: Written,
    offered: Sequence[own.Own],
    **more: Any,
) -> dict[str, Any]:
    """Return what the template of the form needs besides the shell."""
    draft: DraftRow | None = more.get("draft")
    chosen = sender_of(offered, written.sender)
    now = timezone.localtime()
    values = {
        "draft_id": draft_id,
        "written": replace(written, sender=chosen.address if chosen else ""),
        "senders": offered,
        "version": draft.version if draft else 0,
        "token": uuid4(),
        "text": written.text or outgoing.to_plain(written.html),
        "files": [file for file in draft.files if not file.content_id] if draft else (),
        "files_max_bytes": files_max_bytes(),
        "tomorrow": datetime.combine(now.date() + timedelta(days=1), MORNING),
        "monday": datetime.combine(now.date() + timedelta(days=7 - now.weekday()), MORNING),
        "earliest": now + timedelta(minutes=1),
        "zone": timezone.get_current_timezone_name(),
        "kind": draft.kind if draft else "",
        "is_new": draft is None,
        "formats": _formats(),
    }
    return values | more


def _formats() -> list[tuple[str, str, str]]:
    """Return the buttons of the editor: name, icon, label."""
    return [
        ("bold", "bold", _("Bold")),
        ("italic", "italic", _("Italic")),
        ("underline", "underline", _("Underlined")),
        ("bulletList", "list", _("List")),
        ("orderedList", "list-ordered", _("Numbered list")),
        ("blockquote", "text-quote", _("Quote")),
        ("link", "link", _("Link")),
    ]


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
