"""What a delivery batch will write, decided in pure Python (RFC 5321, 4.5.3.2.6; RFC 9051, 2.3.1).

Assigns threads, UIDs, modseqs and counters for many messages at once. `batch_postgresql` and
`batch_sqlite` look up and write; `deliver` runs the steps in order. Knows no database.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from mailcore import trace
from mailcore.address import comparable
from mailcore.mime.header import HeaderScan
from mailcore.models.ids import uuid7
from mailcore.rawmail import PreparedBlob
from mailcore.store import threads


@dataclass(frozen=True, slots=True)
class Copy:
    """A message for one mailbox: its own prefix (trace fields) before the shared blob."""

    mailbox_id: int
    forward_path: str
    domain_id: int | None
    prefix: bytes
    key: bytes | None = None
    role: str = "inbox"
    is_seen: bool = False


@dataclass(frozen=True, slots=True)
class Onward:
    """A target that is not ours; `enqueue` of the delivery writes its queue row."""

    forward_path: str
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One accepted message with all of its recipients: stored whole or not at all.

    `enqueue` and `confirm` run in the storing transaction, with the blob's row: the first for
    targets elsewhere, the second with the forward-paths of the copies that were stored.
    """

    header: HeaderScan
    blob: PreparedBlob
    reverse_path: str
    trace_id: uuid.UUID
    received_at: datetime
    copies: tuple[Copy, ...]
    onward: tuple[Onward, ...] = ()
    events: tuple[trace.Entry, ...] = ()
    enqueue: Callable[[int, Sequence[Onward]], None] | None = None
    confirm: Callable[[int, Sequence[str]], None] | None = None
    peer: str = ""


@dataclass(frozen=True, slots=True)
class StoredContent:
    """The rows that hold a blob and its parse cache."""

    blob_id: int
    content_id: int
    has_attachment: bool


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder under the lock of its mailbox."""

    id: int
    mailbox_id: int
    role: str
    uidnext: int


@dataclass(slots=True, eq=False)
class ThreadRow:
    """A thread that messages of this batch join; `id` is None until a new one is inserted."""

    id: int | None
    mailbox_id: int
    public_id: uuid.UUID
    subject_hash: int
    last_message_at: datetime
    participants: tuple[str, ...]
    modseq: int = 0
    is_muted: bool = False


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A Message to insert."""

    public_id: uuid.UUID
    mailbox_id: int
    folder_id: int
    thread: ThreadRow
    content_id: int
    uid: int
    modseq: int
    trace_id: uuid.UUID
    sent_at: datetime | None
    received_at: datetime
    prefix: bytes
    size: int
    has_attachment: bool
    is_seen: bool


@dataclass(slots=True)
class FolderChange:
    """What a folder's counters gain."""

    uidnext: int
    modseq: int
    total: int = 0
    unseen: int = 0
    size: int = 0


@dataclass(slots=True)
class MailboxChange:
    """What a mailbox gains; its new modseq is that of every row of the batch."""

    modseq: int
    size: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch must know before it can be planned."""

    keys: Mapping[bytes, uuid.UUID]  # delivery keys to take, for the message of this trace id
    mailboxes: Set[int]
    roles: Set[str]
    references: Set[tuple[int, bytes]]  # (mailbox, reference hash)
    subjects: Set[tuple[int, int]]  # (mailbox, subject hash)
    senders: Set[tuple[int, str]]  # (mailbox, address or @domain that may be blocked)


@dataclass(frozen=True, slots=True)
class Found:
    """What the tables said once the mailboxes were locked."""

    first_trace: Mapping[bytes, uuid.UUID]  # of the keys that were taken before
    folders: Mapping[tuple[int, str], FolderState]  # by (mailbox, role)
    known: Mapping[tuple[int, bytes], threads.KnownThread]
    by_subject: Mapping[tuple[int, int], Sequence[threads.KnownThread]]
    blocked: Set[tuple[int, str]]  # those of `Wanted.senders` that an owner blocks


@dataclass(frozen=True, slots=True)
class Opening:
    """The state of a batch once its contents are inserted and its mailboxes locked."""

    contents: Sequence[StoredContent]  # in the order of the deliveries
    modseqs: Mapping[int, int]  # of the mailboxes that are locked
    found: Found


@dataclass(slots=True)
class Plan:
    """Rows to write, in the order in which they were decided."""

    new_threads: list[ThreadRow] = field(default_factory=list)
    touched_threads: dict[int, ThreadRow] = field(default_factory=dict)
    references: dict[tuple[int, bytes], ThreadRow] = field(default_factory=dict)
    messages: list[MessageRow] = field(default_factory=list)
    folders: dict[int, FolderChange] = field(default_factory=dict)
    mailboxes: dict[int, MailboxChange] = field(default_factory=dict)
    events: list[trace.Entry] = field(default_factory=list)
    onward: list[tuple[Delivery, StoredContent, list[Onward]]] = field(default_factory=list)
    confirmed: list[tuple[Delivery, StoredContent, list[str]]] = field(default_factory=list)


def wanted(deliveries: Sequence[Delivery]) -> Wanted:
    """Return what must be looked up for `deliveries`."""
    places = [(copy.mailbox_id, d.header) for d in deliveries for copy in d.copies]
    # Of two messages with one key the first takes it.
    keys = {key: d.trace_id for d in reversed(deliveries) for key in _keys_of(d)}
    return Wanted(
        keys=keys,
        mailboxes={mailbox_id for mailbox_id, _ in places},
        roles={copy.role for d in deliveries for copy in d.copies} | {"inbox", "junk", "archive"},
        references={
            (mailbox_id, reference)
            for mailbox_id, header in places
            for reference in threads.references(header)
        },
        subjects={
            (mailbox_id, threads.subject_hash(header.base_subject))
            for mailbox_id, header in places
            if threads.may_join_by_subject(header)
        },
        senders={
            (copy.mailbox_id, sender)
            for d in deliveries
            for sender in _senders(d)
            for copy in d.copies
            if copy.role == "inbox"
        },
    )


def _senders(delivery: Delivery) -> tuple[str, ...]:
    """Return what a block of the sender would say; nothing for a bounce, whose sender is ours."""
    form = comparable(delivery.header.from_address) if delivery.reverse_path else ""
    return (form, "@" + form.rpartition("@")[2]) if form else ()


def _keys_of(delivery: Delivery) -> Iterable[bytes]:
    targets: list[Copy | Onward] = [*delivery.copies, *delivery.onward]
    return (target.key for target in targets if target.key)


class Planner:
    """Decides message by message; later messages of a batch see what earlier ones did."""

    def __init__(self, found: Found, *, modseqs: Mapping[int, int]) -> None:
        self._found = found
        self._modseqs = modseqs
        self._taken: dict[bytes, uuid.UUID] = dict(found.first_trace)
        self.plan = Plan()

    def add(self, delivery: Delivery, content: StoredContent) -> None:
        """Plan all copies of one message; of two paths that meet in a mailbox the first counts."""
        self.plan.events.extend(delivery.events)
        met: set[int | str] = set()
        stored: list[str] = []
        for copy in delivery.copies:
            if not self._is_repeat(delivery, copy, copy.mailbox_id, met):
                self._add_copy(delivery, copy, content)
                stored.append(copy.forward_path)
        if stored and delivery.confirm is not None:
            self.plan.confirmed.append((delivery, content, stored))
        fresh = [
            target
            for target in delivery.onward
            if not self._is_repeat(delivery, target, target.forward_path, met)
        ]
        if fresh:
            self.plan.onward.append((delivery, content, fresh))

    def _is_repeat(
        self, delivery: Delivery, target: Copy | Onward, place: int | str, met: set[int | str]
    ) -> bool:
        """Two paths that meet, a repeat in this batch, or one of the last seven days."""
        first = self._taken.get(target.key) if target.key else None
        if first is None and place not in met:
            met.add(place)
            if target.key:
                self._taken[target.key] = delivery.trace_id
            return False
        detail: dict[str, object] = {"first": str(first or delivery.trace_id)}
        self.plan.events.append(event(delivery, "duplicate", target.forward_path, detail=detail))
        return True

    def _add_copy(self, delivery: Delivery, copy: Copy, content: StoredContent) -> None:
        mailbox = self._mailbox(copy.mailbox_id)
        thread = self._thread(delivery, copy.mailbox_id, modseq=mailbox.modseq)
        role, reason = self._role(delivery, copy, thread)
        folder = self._folder(copy.mailbox_id, role, modseq=mailbox.modseq)
        change = self.plan.folders[folder.id]
        size = len(copy.prefix) + delivery.blob.size
        row = MessageRow(
            public_id=uuid7(),
            mailbox_id=copy.mailbox_id,
            folder_id=folder.id,
            thread=thread,
            content_id=content.content_id,
            uid=change.uidnext,
            modseq=mailbox.modseq,
            trace_id=delivery.trace_id,
            sent_at=delivery.header.sent_at,
            received_at=delivery.received_at,
            prefix=copy.prefix,
            size=size,
            has_attachment=content.has_attachment,
            is_seen=copy.is_seen,
        )
        self.plan.messages.append(row)
        change.uidnext += 1
        change.total += 1
        change.unseen += not copy.is_seen
        change.size += size
        mailbox.size += size
        mailbox.count += 1
        self.plan.events.append(
            event(
                delivery,
                "stored",
                copy.forward_path,
                mailbox_id=copy.mailbox_id,
                domain_id=copy.domain_id,
                detail={"folder": folder.role, "uid": row.uid, **reason},
            )
        )

    def _role(
        self, delivery: Delivery, copy: Copy, thread: ThreadRow
    ) -> tuple[str, dict[str, object]]:
        """Return where a copy goes, and what the trace says when that is not where it was to go.

        A blocked sender's to Junk; into a muted conversation to the archive, but for a bounce.
        """
        block = self._block(delivery, copy)
        if block:
            return "junk", block
        if copy.role == "inbox" and thread.is_muted and delivery.reverse_path:
            return "archive", {"muted": True}
        return copy.role, {}

    def _block(self, delivery: Delivery, copy: Copy) -> dict[str, object]:
        """Return what the trace says of a blocked sender, whose mail goes to Junk; else nothing."""
        if copy.role != "inbox" or not self._found.blocked:
            return {}
        blocked = self._found.blocked
        return next(
            ({"blocked": s} for s in _senders(delivery) if (copy.mailbox_id, s) in blocked), {}
        )

    def _mailbox(self, mailbox_id: int) -> MailboxChange:
        change = self.plan.mailboxes.get(mailbox_id)
        if change is None:
            change = MailboxChange(modseq=self._modseqs[mailbox_id] + 1)
            self.plan.mailboxes[mailbox_id] = change
        return change

    def _folder(self, mailbox_id: int, role: str, *, modseq: int) -> FolderState:
        folders = self._found.folders
        folder = folders.get((mailbox_id, role)) or folders[(mailbox_id, "inbox")]
        if folder.id not in self.plan.folders:
            self.plan.folders[folder.id] = FolderChange(uidnext=folder.uidnext, modseq=modseq)
        return folder

    def _thread(self, delivery: Delivery, mailbox_id: int, *, modseq: int) -> ThreadRow:
        hashes = threads.references(delivery.header)
        thread = (
            self._by_reference(mailbox_id, hashes)
            or self._by_subject(delivery, mailbox_id)
            or self._new_thread(delivery, mailbox_id)
        )
        thread.modseq = modseq
        thread.last_message_at = max(thread.last_message_at, delivery.received_at)
        thread.participants = threads.joined_participants(thread.participants, delivery.header)
        for reference in hashes:
            if (mailbox_id, reference) not in self._found.known:
                self.plan.references.setdefault((mailbox_id, reference), thread)
        return thread

    def _by_reference(self, mailbox_id: int, hashes: Sequence[bytes]) -> ThreadRow | None:
        for reference in hashes:
            planned = self.plan.references.get((mailbox_id, reference))
            if planned is not None:
                return planned
            known = self._found.known.get((mailbox_id, reference))
            if known is not None:
                return self._touched(mailbox_id, known)
        return None

    def _by_subject(self, delivery: Delivery, mailbox_id: int) -> ThreadRow | None:
        header = delivery.header
        if not threads.may_join_by_subject(header):
            return None
        number = threads.subject_hash(header.base_subject)
        candidates = self._found.by_subject.get((mailbox_id, number), ())
        found = threads.best_by_subject(candidates, header=header, at=delivery.received_at)
        return self._touched(mailbox_id, found) if found else None

    def _touched(self, mailbox_id: int, known: threads.KnownThread) -> ThreadRow:
        row = self.plan.touched_threads.get(known.id)
        if row is None:
            row = ThreadRow(
                id=known.id,
                mailbox_id=mailbox_id,
                public_id=uuid.UUID(int=0),
                subject_hash=0,
                last_message_at=known.last_message_at,
                participants=known.participants,
                is_muted=known.is_muted,
            )
            self.plan.touched_threads[known.id] = row
        return row

    def _new_thread(self, delivery: Delivery, mailbox_id: int) -> ThreadRow:
        row = ThreadRow(
            id=None,
            mailbox_id=mailbox_id,
            public_id=uuid7(),
            subject_hash=threads.subject_hash(delivery.header.base_subject),
            last_message_at=delivery.received_at,
            participants=(),
        )
        self.plan.new_threads.append(row)
        return row


def event(
    delivery: Delivery,
    kind: str,
    forward_path: str,
    *,
    mailbox_id: int | None = None,
    domain_id: int | None = None,
    detail: dict[str, object] | None = None,
) -> trace.Entry:
    """Return a trace entry about `delivery` and one of its recipients."""
    return trace.Entry(
        trace_id=delivery.trace_id,
        at=delivery.received_at,
        kind=kind,
        reverse_path=delivery.reverse_path,
        forward_path=forward_path,
        message_id=delivery.header.message_id,
        mailbox_id=mailbox_id,
        domain_id=domain_id,
        peer=delivery.peer,
        reply="",
        detail=detail,
    )
