"""Derivation: what is found in a message after the 250 (guarantee G11).

`parsed_at` null is the durable to-do mark; nothing else has to be remembered. Parsing happens in
`sandbox`, never here. A first try goes in batches, a second alone; a message on which the sandbox
fails twice is `unreadable` and shown as raw text. Whatever a message contains, this makes progress.
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from django.db import DataError, transaction
from django.db.models import F
from django.utils import timezone

from mailcore import rawmail
from mailcore.blobs.protocol import BlobMissing
from mailcore.models.blob import Blob, Content, RenderedBody
from mailcore.models.folder import Folder
from mailcore.models.message import Message
from mailcore.rawmail import BlobDamaged
from mailcore.store import batch_derive, index, reports, sequence
from mailcore.store.extract import PARSER_VERSION, SANITISER_VERSION, Body, Extracted
from mailcore.store.index_words import words_of
from mailcore.store.sandbox import Failed, Sandbox

log = logging.getLogger("mailcore.store")

BATCH = 50
BATCH_BYTES = 16 * 2**20
FAILURES_MAX = 2  # of the sandbox on one message
ATTEMPTS_MAX = 5  # begun and never finished: the process was killed each time
IMAGE_MODE = "blocked"  # of what is rendered before anybody asks

_on_demand = Sandbox(wall_s=4.0)
atexit.register(_on_demand.close)


_GIVE_UP = Failed("given up")


@dataclass(frozen=True, slots=True)
class _Known:
    """A content that was derived before and has new copies: only the index is behind."""


Result = Extracted | Failed | _Known


@dataclass(frozen=True, slots=True)
class _Copy:
    """A message that shows a content."""

    id: int
    mailbox_id: int
    folder_id: int
    content_id: int
    has_attachment: bool


def derive_next(*, sandbox: Sandbox, now: datetime | None = None) -> int:
    """Derive some of what is waiting; return how many contents were dealt with, 0 for none left.

    Raises DatabaseError when the database is not there; what was not stored is tried again.
    """
    waiting = _waiting(limit=BATCH)
    fresh = [pk for pk, attempts in waiting if attempts == 0]
    if waiting and waiting[0][1] == 0:
        return derive(content_ids=fresh, sandbox=sandbox, now=now)
    return sum(derive(content_ids=[pk], sandbox=sandbox, now=now) for pk, _ in waiting[:1])


def on_demand(*, content_ids: Sequence[int]) -> bool:
    """Derive for a reader who is quicker than the worker; return whether anything was."""
    return bool(content_ids) and derive(content_ids=content_ids, sandbox=_on_demand) > 0


def render_on_demand(
    *, content_id: int, raw: bytes, view: str, image_mode: str = IMAGE_MODE
) -> Body | None:
    """Return a sanitised body that is not in the cache and put it there; None if it cannot be."""
    body = _on_demand.render(raw, view=view, image_mode=image_mode, wait_s=2)
    if isinstance(body, Failed):
        log.warning(
            "derive.render_failed",
            extra={"fields": {"content_id": content_id, "reason": body.reason}},
        )
        return None
    _store_bodies([(content_id, body)], now=timezone.now(), image_mode=image_mode)
    return body


def extract_on_demand(raw: bytes) -> Extracted | None:
    """Return what is in the octets of a message that is in no mailbox; None if it cannot be."""
    found = _on_demand.extract(raw, wait_s=2)
    if isinstance(found, Failed):
        log.warning("derive.failed", extra={"fields": {"reason": found.reason}})
        return None
    return found


def close() -> None:
    """End the child process of `on_demand`, if there is one."""
    _on_demand.close()


def derive(*, content_ids: Sequence[int], sandbox: Sandbox, now: datetime | None = None) -> int:
    """Derive these contents as far as they wait for it; return how many were dealt with."""
    now = now or timezone.now()
    chosen = _chosen(content_ids)
    # Committed before parsing: whatever becomes of this process, the try counts.
    Content.objects.filter(pk__in=chosen).update(parse_attempts=F("parse_attempts") + 1)
    contents = Content.objects.filter(pk__in=chosen).select_related("blob").order_by("pk")
    results = {content.pk: _result(content, sandbox) for content in contents}
    not_tried = [pk for pk, result in results.items() if result is None]
    Content.objects.filter(pk__in=not_tried).update(parse_attempts=F("parse_attempts") - 1)
    tried = {pk: result for pk, result in results.items() if result is not None}
    try:
        _finish(tried, now=now)
    except (DataError, ValueError) as error:
        if len(tried) > 1:
            return sum(derive(content_ids=[pk], sandbox=sandbox, now=now) for pk in tried)
        log.warning("derive.unstorable", extra={"fields": {"error": repr(error)}})
        _finish(dict.fromkeys(tried, _GIVE_UP), now=now)
    return len(tried)


def _waiting(*, limit: int) -> list[tuple[int, int]]:
    """Return (id, attempts) of what waits: of the oldest, those first that were never tried."""
    found = Content.objects.filter(parsed_at__isnull=True).order_by("pk")
    rows = found.values_list("pk", "parse_attempts")[: limit * 4]
    return sorted(rows, key=lambda row: (row[1] > 0, row[0]))[:limit]


def _chosen(content_ids: Sequence[int]) -> list[int]:
    """Return those that wait, up to BATCH_BYTES of them but at least one."""
    found = Content.objects.filter(pk__in=content_ids, parsed_at__isnull=True).order_by("pk")
    chosen: list[int] = []
    total = 0
    for pk, size in found.values_list("pk", "blob__size"):
        total += size
        if chosen and total > BATCH_BYTES:
            break
        chosen.append(pk)
    return chosen


def _result(content: Content, sandbox: Sandbox) -> Result | None:
    """Return what to store of a content; None when it could not be tried now."""
    if content.parse_attempts > ATTEMPTS_MAX:
        return _GIVE_UP
    if content.parser_version == PARSER_VERSION and content.parse_state != "pending":
        return _Known() if content.parse_state == "ready" else _GIVE_UP
    found = _extract(content.blob, sandbox)
    if isinstance(found, Extracted):
        return found
    log.warning(
        "derive.failed", extra={"fields": {"content_id": content.pk, "reason": found.reason}}
    )
    if not found.counts:
        return None
    return _GIVE_UP if content.parse_attempts >= FAILURES_MAX else found


def _extract(blob: Blob, sandbox: Sandbox) -> Extracted | Failed:
    try:
        raw = rawmail.read(blob)
    except (BlobMissing, BlobDamaged, OSError) as error:
        return Failed(repr(error))
    return sandbox.extract(raw, wait_s=2)


def _finish(results: Mapping[int, Result], *, now: datetime) -> None:
    """Store results. Content rows are locked first, as deliveries do, then mailboxes by id.

    A delivery of the same content waits for us and then marks it as waiting again; so no copy
    can be left out of the index.
    """
    with transaction.atomic(), ExitStack() as stack:
        locked = Content.objects.select_for_update(of=("self",)).filter(
            pk__in=results, parsed_at__isnull=True
        )
        contents = list(locked.select_related("blob").order_by("blob__sha256"))
        done = [content for content in contents if _is_final(results[content.pk])]
        copies = _copies([content.pk for content in done])
        locks = {
            pk: stack.enter_context(sequence.locked(mailbox_id=pk))
            for pk in sorted({copy.mailbox_id for copy in copies})
        }
        for content in done:
            _apply(content, results[content.pk], now=now)
        batch_derive.update_contents(done)
        reports.note(done, now=now)
        index.add(list(map(_words, done)))
        _store_bodies(_bodies(results, done), now=now)
        _show(done, copies, {pk: lock.modseq for pk, lock in locks.items()})


def _words(content: Content) -> index.Words:
    return words_of(
        content_id=content.pk,
        subject=content.subject,
        envelope=content.envelope or {},
        structure=content.structure or {},
        body=content.search_text,
    )


def _is_final(result: Result) -> bool:
    return result is _GIVE_UP or not isinstance(result, Failed)


def _copies(content_ids: Sequence[int]) -> list[_Copy]:
    found = Message.objects.filter(content_id__in=content_ids)
    return [
        _Copy(*row)
        for row in found.values_list(
            "id", "mailbox_id", "folder_id", "content_id", "has_attachment"
        )
    ]


def _apply(content: Content, result: Result, *, now: datetime) -> None:
    """Put into a locked row what was found."""
    if isinstance(result, Extracted):
        content.structure = result.structure
        content.envelope = result.envelope
        content.preview = result.preview[:300]
        content.has_attachment = result.has_attachment
        content.search_text = result.search_text
    content.parse_state = "unreadable" if isinstance(result, Failed) else "ready"
    content.parser_version = PARSER_VERSION
    content.parsed_at = now


def _bodies(results: Mapping[int, Result], done: Sequence[Content]) -> list[tuple[int, Body]]:
    return [
        (content.pk, body)
        for content in done
        if isinstance(result := results[content.pk], Extracted)
        for body in result.bodies
    ]


def _store_bodies(
    bodies: Sequence[tuple[int, Body]], *, now: datetime, image_mode: str = IMAGE_MODE
) -> None:
    RenderedBody.objects.bulk_create(
        [
            RenderedBody(
                content_id=content_id,
                part=body.view,
                sanitiser_version=SANITISER_VERSION,
                image_mode=image_mode,
                html=body.html,
                colour=body.colour,
                notice=body.notice,
                blocked_count=body.blocked_count,
                used_at=now,
            )
            for content_id, body in bodies
        ],
        update_conflicts=True,
        unique_fields=["content", "part", "sanitiser_version", "image_mode"],
        update_fields=["html", "colour", "notice", "blocked_count", "used_at"],
    )


def _show(contents: Sequence[Content], copies: Sequence[_Copy], modseqs: Mapping[int, int]) -> None:
    """Let lists see it: paper clips on the messages, a new modseq for their folders.

    A message gets a modseq only with its paper clip: previews are no IMAP state (RFC 7162).
    """
    attached = {content.pk: content.has_attachment for content in contents}
    for mailbox_id, modseq in modseqs.items():
        mine = [copy for copy in copies if copy.mailbox_id == mailbox_id]
        for value in (True, False):
            changed = [
                copy.id
                for copy in mine
                if attached[copy.content_id] is value and copy.has_attachment is not value
            ]
            if changed:
                Message.objects.filter(pk__in=changed).update(has_attachment=value, modseq=modseq)
        folder_ids = {copy.folder_id for copy in mine}
        Folder.objects.filter(pk__in=folder_ids).update(highest_modseq=modseq)
