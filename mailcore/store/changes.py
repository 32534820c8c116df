"""What every change of messages shares: chunks, folder counters and row counts (RFC 7162, 3.1).

A command is cut into chunks of at most 500 rows, each with its own lock, modseq and COMMIT, so
that a long one never stalls deliveries. Changes nothing by itself: see `flags`, `move`, `expunge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db.models import F, QuerySet

from mailcore.errors import MailError
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Message
from mailcore.store.sequence import wide

CHUNK = 500  # rows of one transaction
Item = TypeVar("Item")


class ChangeMissed(MailError):  # noqa: N818 - named by what happened
    """An UPDATE under the lock changed another number of rows than it found: rolled back."""

    def __init__(self, *, expected: int, changed: int) -> None:
        super().__init__(f"{changed} rows changed, {expected} expected")
        self.expected = expected
        self.changed = changed


class FolderGone(MailError):  # noqa: N818 - named by what happened
    """The folder is not, or no longer, one of this mailbox."""


class Row(NamedTuple):
    """The columns of a message that changes are computed from."""

    id: int
    public_id: UUID
    folder_id: int
    uid: int
    thread_id: int
    size: int
    is_seen: bool
    is_flagged: bool
    is_deleted: bool


@dataclass(slots=True)
class Counters:
    """What folders gain or lose, by folder id: (total, unseen, deleted, octets)."""

    deltas: dict[int, list[int]] = field(default_factory=dict)

    def add(self, folder_id: int, *, total: int, unseen: int, deleted: int, size: int) -> None:
        """Add to what a folder gains."""
        delta = self.deltas.setdefault(folder_id, [0, 0, 0, 0])
        for place, number in enumerate((total, unseen, deleted, size)):
            delta[place] += number

    def add_message(self, folder_id: int, row: Row, *, sign: int) -> None:
        """Let a message enter (`sign` 1) or leave (-1) a folder."""
        self.add(
            folder_id,
            total=sign,
            unseen=sign * (not row.is_seen),
            deleted=sign * row.is_deleted,
            size=sign * row.size,
        )

    def write(self, *, modseq: int) -> None:
        """Write the counters, and the modseq as highest of every folder that is named."""
        for folder_id, (total, unseen, deleted, size) in sorted(self.deltas.items()):
            Folder.objects.filter(pk=folder_id).update(
                total_count=F("total_count") + total,
                unseen_count=F("unseen_count") + unseen,
                deleted_count=F("deleted_count") + deleted,
                size_bytes=F("size_bytes") + wide(size),
                highest_modseq=modseq,
            )


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield runs of at most CHUNK distinct items in order."""
    distinct = list(dict.fromkeys(items))
    for start in range(0, len(distinct), CHUNK):
        yield distinct[start : start + CHUNK]


def rows_of(found: QuerySet[Message]) -> list[Row]:
    """Return the rows of a query by folder and UID: the order in which they move."""
    return [Row(*row) for row in found.order_by("folder_id", "uid").values_list(*Row._fields)]


def messages(*, mailbox: Mailbox, public_ids: Sequence[UUID]) -> QuerySet[Message]:
    """Return those of `public_ids` that are in this mailbox; others are silently not there."""
    return Message.objects.filter(mailbox_id=mailbox.pk, public_id__in=public_ids)


def expect(changed: int, *, expected: int) -> None:
    """Raise ChangeMissed, which rolls the chunk back, unless the counts agree."""
    if changed != expected:
        raise ChangeMissed(expected=expected, changed=changed)
