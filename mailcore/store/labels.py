"""Labels: keywords of a mailbox with a name and a colour that people see (RFC 9051, 2.3.2).

A label sits on a Keyword, which owns one of the bits 0 to 62 of `Message.keywords`: a mailbox has
at most 63. Renaming keeps the keyword, so that IMAP clients see no other flag. Which messages
carry a label is asked by bit; nothing is counted per label.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.lookups import Exact
from django.utils import timezone

from mailcore.errors import MailError
from mailcore.models.directory import Mailbox
from mailcore.models.message import Keyword, Label, Message
from mailcore.store import sequence
from mailcore.store.changes import CHUNK, Counters, Row, chunks, expect, messages, rows_of
from mailcore.store.operations import Operation
from mailcore.store.rows import Done
from mailcore.store.sequence import wide

NAME_MAX = 60
BITS = 63  # what a signed 64-bit column holds without its sign
HUES = 12
_ATOM_SPECIALS = set('(){ %*"\\]')  # RFC 9051, section 9: what an atom and so a keyword has not


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label of a mailbox; `hue` is 0 to 11, `bit` its place in `Message.keywords`."""

    id: int
    public_id: UUID
    name: str
    hue: int
    bit: int


class LabelRefused(MailError):  # noqa: N818 - like Refused
    """The label cannot be made or changed; `reason` is name, hue, taken or full."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LabelGone(MailError):  # noqa: N818 - named by what happened
    """The label is not, or no longer, one of this mailbox."""


def list_labels(*, mailbox: Mailbox) -> list[LabelRow]:
    """Return the labels of a mailbox by name. One query."""
    return labels_of(mailbox_ids=[mailbox.pk])[mailbox.pk]


def labels_of(*, mailbox_ids: Sequence[int]) -> dict[int, list[LabelRow]]:
    """Return the labels of each of these mailboxes by name. One query."""
    columns = ("keyword__mailbox_id", "id", "public_id", "name", "hue", "keyword__bit")
    rows = Label.objects.filter(keyword__mailbox_id__in=mailbox_ids).values_list(*columns)
    found: dict[int, list[LabelRow]] = {pk: [] for pk in mailbox_ids}
    for mailbox_id, *row in rows:
        found[mailbox_id].append(LabelRow(*row))
    for labels in found.values():
        labels.sort(key=lambda label: label.name.casefold())
    return found


def of_bits(labels: Iterable[LabelRow], keywords: int) -> tuple[LabelRow, ...]:
    """Return those of `labels` whose bit is set in `Message.keywords`."""
    return tuple(row for row in labels if keywords >> row.bit & 1)


def carrying(found: QuerySet[Message], bit: int) -> QuerySet[Message]:
    """Return those messages of a query that carry the label with this bit."""
    return found.filter(carries(bit))


def carries(bit: int) -> Q:
    """Return the condition for messages with this label; the first part is what an index knows."""
    return Q(keywords__gt=0) & Q(Exact(_bit(bit), wide(1 << bit)))


def create(*, mailbox: Mailbox, name: str, hue: int = 0) -> LabelRow:
    """Make a label. Raises LabelRefused: name, hue, taken, or full at 63 keywords."""
    cleaned = _cleaned(name, hue)
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        _refuse_taken(lock.mailbox, cleaned)
        rows = Keyword.objects.filter(mailbox_id=mailbox.pk).values_list("bit", "name")
        used = dict(rows)
        keyword = Keyword.objects.create(
            mailbox_id=mailbox.pk,
            name=_keyword_name(cleaned, {name.lower() for name in used.values()}),
            bit=free_bit(used),
        )
        made = Label.objects.create(keyword=keyword, name=cleaned, hue=hue)
    return LabelRow(made.pk, made.public_id, made.name, made.hue, keyword.bit)


def change(*, mailbox: Mailbox, label_id: UUID, name: str, hue: int) -> None:
    """Give a label a name and a colour; its messages keep it. Raises LabelRefused, LabelGone."""
    cleaned = _cleaned(name, hue)
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        label = _get(lock.mailbox, label_id)
        _refuse_taken(lock.mailbox, cleaned, but=label.pk)
        Label.objects.filter(pk=label.pk).update(name=cleaned, hue=hue)


def free_bit(used: Collection[int]) -> int:
    """Return the lowest bit that no keyword of a mailbox has. Raises LabelRefused: full."""
    for bit in range(BITS):
        if bit not in used:
            return bit
    raise LabelRefused("full")


def rename(*, mailbox: Mailbox, label_id: UUID, name: str) -> None:
    """Give a label another name. Raises LabelRefused, LabelGone."""
    change(mailbox=mailbox, label_id=label_id, name=name, hue=_get(mailbox, label_id).hue)


def recolour(*, mailbox: Mailbox, label_id: UUID, hue: int) -> None:
    """Give a label another colour, 0 to 11. Raises LabelRefused, LabelGone."""
    change(mailbox=mailbox, label_id=label_id, name=_get(mailbox, label_id).name, hue=hue)


def delete(*, mailbox: Mailbox, label_id: UUID) -> int:
    """Take a label off all messages, in chunks, and forget it; return how many carried it.

    The label goes last: after a crash it is still there and can be deleted again. Raises LabelGone.
    """
    count = after = 0
    while True:
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            label = _get(lock.mailbox, label_id)
            bit = label.keyword.bit
            carriers = carrying(Message.objects.filter(mailbox_id=mailbox.pk), bit)
            further = carriers.filter(pk__gt=after).order_by("pk")
            ids = list(further.values_list("pk", flat=True)[:CHUNK])
            if ids:
                write_label(rows_of(carriers.filter(pk__in=ids)), bit, False, modseq=lock.modseq)
            elif not carriers.exists():
                label.delete()
                label.keyword.delete()
                return count
        # None left behind, but one further up got it meanwhile: from the start again.
        count, after = count + len(ids), ids[-1] if ids else 0


def set_label(
    *,
    mailbox: Mailbox,
    message_ids: Sequence[UUID],
    label_id: UUID,
    value: bool,
    now: datetime | None = None,
) -> Done:
    """Put a label on messages of this mailbox, or take it off; the others are passed over.

    Raises LabelGone; chunks of 500 that were changed before that stay changed.
    """
    arguments = {"label": str(label_id), "value": value}
    operation = Operation(mailbox, "label", arguments, now or timezone.now())
    for chunk in chunks(message_ids):
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            bit = _get(lock.mailbox, label_id).keyword.bit
            rows = changing(messages(mailbox=lock.mailbox, public_ids=chunk), bit, value)
            if rows:
                write_label(rows, bit, value, modseq=lock.modseq)
                operation.add([{"ids": [row.id for row in rows]}], count=len(rows))
    return operation.done()


def changing(found: QuerySet[Message], bit: int, value: bool) -> list[Row]:
    """Return the rows of a query that setting the bit to `value` changes."""
    return rows_of(found.filter(Exact(_bit(bit), wide(0 if value else 1 << bit))))


def write_label(rows: Sequence[Row], bit: int, value: bool, *, modseq: int) -> None:
    """Set one bit of rows that do not have it so, under the lock. Raises ChangeMissed."""
    step = (1 << bit) if value else -(1 << bit)
    ids = [row.id for row in rows]
    changed = Message.objects.filter(pk__in=ids).update(
        keywords=F("keywords") + wide(step), modseq=modseq
    )
    expect(changed, expected=len(rows))
    counters = Counters()
    for folder_id in {row.folder_id for row in rows}:
        counters.add(folder_id, total=0, unseen=0, deleted=0, size=0)
    counters.write(modseq=modseq)


def bit_of(*, mailbox: Mailbox, label_id: UUID) -> int | None:
    """Return the bit of a label of this mailbox, or None when it is gone."""
    found = Label.objects.filter(keyword__mailbox_id=mailbox.pk, public_id=label_id)
    return found.values_list("keyword__bit", flat=True).first()


def _bit(bit: int) -> CombinedExpression:
    return CombinedExpression(F("keywords"), Combinable.BITAND, wide(1 << bit))


def _get(mailbox: Mailbox, label_id: UUID) -> Label:
    found = Label.objects.filter(keyword__mailbox_id=mailbox.pk, public_id=label_id)
    label = found.select_related("keyword").first()
    if label is None:
        raise LabelGone(str(label_id))
    return label


def _cleaned(name: str, hue: int) -> str:
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    unfit = any(unicodedata.category(char) in ("Cc", "Cs", "Cf") for char in cleaned)
    if not 0 < len(cleaned) <= NAME_MAX or unfit:
        raise LabelRefused("name")
    if not 0 <= hue < HUES:
        raise LabelRefused("hue")
    return cleaned


def _refuse_taken(mailbox: Mailbox, name: str, *, but: int | None = None) -> None:
    others = Label.objects.filter(keyword__mailbox_id=mailbox.pk).exclude(pk=but or 0)
    if name.casefold() in {other.casefold() for other in others.values_list("name", flat=True)}:
        raise LabelRefused("taken")


def _keyword_name(name: str, taken: set[str]) -> str:
    """Return an IMAP atom that reminds of the name and is free, letter case aside."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = "".join("_" if char in _ATOM_SPECIALS else char for char in plain).strip("_$")
    stem = words or "label"
    names = (stem, *(f"{stem}_{number}" for number in range(2, BITS + 2)))
    return next(name for name in names if name.lower() not in taken)
