"""Which conversation a message joins (RFC 5322, 3.6.4; RFC 5256 for base subjects).

By Message-ID, In-Reply-To and References; by subject only for a reply that refers to nothing we
know, with a shared participant, within 30 days. Two threads found: the parent's, never a merge.
Pure decisions; `batch_*` look up and store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailcore.mime.header import HeaderScan

SUBJECT_WINDOW = timedelta(days=30)
REFERENCES_MAX = 20
PARTICIPANTS_MAX = 50


@dataclass(frozen=True, slots=True)
class KnownThread:
    """A thread as the tables have it."""

    id: int
    last_message_at: datetime
    participants: tuple[str, ...]
    is_muted: bool = False


def reference_hash(message_id: str) -> bytes:
    """Return the 16 octets by which ThreadRef knows a Message-ID."""
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).digest()[:16]


def subject_hash(base_subject: str) -> int:
    """Return a signed 64-bit hash of a base subject (RFC 5256, 2.1); 0 for an empty one."""
    if not base_subject:
        return 0
    digest = hashlib.sha256(base_subject.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def references(header: HeaderScan) -> tuple[bytes, ...]:
    """Return hashes of what the message refers to, nearest parent first, then its own id last.

    Of a long References field the newest and the root count (RFC 5322 lets agents cut the middle).
    """
    chain = [*header.in_reply_to[:3], *reversed(header.references)]
    if len(chain) > REFERENCES_MAX:
        chain = [*chain[: REFERENCES_MAX - 1], chain[-1]]
    if header.message_id:
        chain.append(header.message_id)
    return tuple(dict.fromkeys(map(reference_hash, chain)))


def may_join_by_subject(header: HeaderScan) -> bool:
    """Return whether the subject may decide: a reply that names a subject."""
    return header.is_reply and bool(header.base_subject)


def best_by_subject(
    candidates: Iterable[KnownThread], *, header: HeaderScan, at: datetime
) -> KnownThread | None:
    """Return the newest candidate within 30 days that shares a participant with the message."""
    people = set(header.participants)
    fitting = [
        thread
        for thread in candidates
        if abs(at - thread.last_message_at) <= SUBJECT_WINDOW
        and not people.isdisjoint(thread.participants)
    ]
    return max(fitting, key=lambda thread: thread.last_message_at, default=None)


def joined_participants(known: Iterable[str], header: HeaderScan) -> tuple[str, ...]:
    """Return the participants of a thread after this message: at most 50, first come first."""
    return tuple(dict.fromkeys([*known, *header.participants]))[:PARTICIPANTS_MAX]
