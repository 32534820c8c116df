"""Makes the octets of a notice: what is quoted of the message, the fields, the text (RFC 3464, 2).

Of a message the header comes back, or all of it where RET=FULL asks and it failed (RFC 3461, 4.3).
A message that cannot be read any more is reported without what came back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import translation

from mailcore import conf, rawmail
from mailcore.blobs.protocol import BlobMissing
from mailcore.delivery import bounce_text
from mailcore.directory import users
from mailcore.directory.users import Preferences
from mailcore.dsn.compose import RecipientReport, Report, compose
from mailcore.mime.fields import header_span
from mailcore.mime.header import HeaderTooLarge, scan_header
from mailcore.queue.claim import Batch
from mailcore.queue.outcome import Ended
from mailcore.rawmail import BlobDamaged, StoredBlob

log = logging.getLogger("mailcore.delivery")

HEADER_BYTES = 64 * 1024
WHOLE_BYTES = 1024 * 1024  # of a larger message only the header comes back, whatever RET says
_CLASSES = {"failed": "45", "delayed": "4", "relayed": "2", "delivered": "2"}
_NO_READER = Preferences()


@dataclass(frozen=True, slots=True)
class Notice:
    """What one message says: recipients of one message that came to the same end.

    `kind` is failed, delayed, relayed or delivered.
    """

    kind: str
    ended: tuple[Ended, ...]

    @property
    def batch(self) -> Batch:
        """The batch of the first recipient: all are of one message."""
        return self.ended[0].batch


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of the message that a notice is about, and how its author reads."""

    original: bytes
    is_whole: bool
    subject: str
    message_id: str
    reader: Preferences


def read_sources(notices: Sequence[Notice]) -> Mapping[Notice, Source]:
    """Read what came back and who reads it. Raises django.db.DatabaseError."""
    blobs = rawmail.rows({notice.batch.blob_id for notice in notices})
    people = {notice.batch.submitter_id for notice in notices} - {None}
    readers = users.preferences(user_ids=[pk for pk in people if pk is not None])
    return {
        notice: _source(
            notice,
            blobs.get(notice.batch.blob_id),
            readers.get(notice.batch.submitter_id or 0, _NO_READER),
        )
        for notice in notices
    }


def write(
    notice: Notice, *, source: Source, is_ours: bool, message_id: str, now: datetime
) -> bytes:
    """Return the notice, without trace fields. `is_ours` says that the reverse-path is."""
    batch = notice.batch
    domain = _domain(notice) if is_ours else conf.hostname()
    with translation.override(source.reader.locale or settings.LANGUAGE_CODE):
        return compose(
            Report(
                to=batch.reverse_path,
                sender_name=bounce_text.sender_name(),
                sender=f"postmaster@{domain}",
                subject=bounce_text.subject(notice.kind, source.subject),
                text=bounce_text.text(
                    notice.kind,
                    notice.ended,
                    original=source.subject,
                    host=domain,
                    timezone=source.reader.timezone,
                ),
                language=translation.get_language() or "",
                message_id=message_id,
                at=now,
                reporting_host=conf.hostname(),
                recipients=[_recipient(notice.kind, each) for each in notice.ended],
                arrived_at=batch.created_at,
                envid=batch.envid,
                original=source.original,
                is_whole=source.is_whole,
                original_message_id=source.message_id,
                utf8=batch.smtputf8,
            )
        )


def _domain(notice: Notice) -> str:
    return notice.batch.reverse_path.rpartition("@")[2]


def _recipient(kind: str, each: Ended) -> RecipientReport:
    recipient = each.recipient
    original = recipient.original_forward_path
    orcpt = recipient.orcpt or (f"rfc822;{original}" if original.isascii() and original else "")
    return RecipientReport(
        final_recipient=recipient.forward_path,
        action=kind,
        status=_status(kind, each),
        orcpt=orcpt,
        remote_host=each.host,
        diagnostic=str(each.reply),
        last_attempt_at=each.at,
        will_retry_until=each.batch.expires_at if kind == "delayed" else None,
    )


def _status(kind: str, each: Ended) -> str:
    """Return the status of RFC 3464, 2.3.4: its class must agree with the action."""
    if each.state == "expired":
        return "4.4.7"
    if each.reply.enhanced[:1] in tuple(_CLASSES[kind]):
        return each.reply.enhanced
    return {"failed": "5.0.0", "delayed": "4.0.0"}.get(kind, "2.0.0")


def _source(notice: Notice, blob: StoredBlob | None, reader: Preferences) -> Source:
    batch = notice.batch
    is_whole = notice.kind == "failed" and batch.ret.upper() == "FULL" and batch.size <= WHOLE_BYTES
    octets = b"" if blob is None else _octets(batch, blob, is_whole=is_whole)
    header = _header(octets)
    try:
        scan = scan_header(header + b"\r\n")
    except HeaderTooLarge:
        return Source(header, False, "", "", reader)
    original = octets if is_whole else header
    return Source(original, is_whole, scan.subject, scan.message_id, reader)


def _octets(batch: Batch, blob: StoredBlob, *, is_whole: bool) -> bytes:
    length = blob.size if is_whole else HEADER_BYTES
    try:
        return batch.prefix + rawmail.read_range(blob, start=0, length=length)
    except (BlobMissing, BlobDamaged, OSError) as error:
        log.warning(
            "bounce.original_unreadable",
            extra={"fields": {"trace_id": batch.trace_id.hex, "error": repr(error)}},
        )
        return b""


def _header(octets: bytes) -> bytes:
    """Return the whole lines of the header, as far as it is there."""
    end, _ = header_span(octets)
    return octets[: octets.rfind(b"\n", 0, end) + 1]
