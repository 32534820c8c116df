"""Conservation of mail: what was accepted for a recipient is in exactly one state (G5).

An `accepted` event, and each target of an `expanded` one, must be matched by one of `stored`,
`duplicate`, `expanded` or a QueuedRecipient. The `stored` of a QueuedRecipient with route `local`
is its `delivered`, not a second state. Reads in chunks beside deliveries; repairs nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from mailcore.models.queue import QueuedMessage, QueuedRecipient, State
from mailcore.models.trace import TraceEvent
from mailcore.queue.sweep import FINISHED_KEPT, TERMINAL

CHUNK = 2000
LEASE_OVERDUE = timedelta(minutes=5)
# Rows that a sweep may take while we read are no loss.
_AUDITED = FINISHED_KEPT - timedelta(hours=1)
_KINDS = ("accepted", "expanded", "stored", "duplicate")
_PATH = ("trace_id", "reverse_path", "forward_path")

_Path = tuple[uuid.UUID, str, str]  # trace id, reverse-path, forward-path


@dataclass(frozen=True, slots=True)
class Breach:
    """A message x recipient that is in no state or in two, or a row that nobody will end."""

    check: str
    trace_id: uuid.UUID
    forward_path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: trace {self.trace_id.hex} to {self.forward_path!r}: {self.detail}"


@dataclass(slots=True)
class _Account:
    """What happened to one message for one forward-path. `rows` are all of the queue.

    `local_count` are those of them that are delivered by a copy in a mailbox.
    """

    is_accepted: bool = False
    is_target: bool = False  # of an `expanded`
    is_expanded: bool = False
    stored_count: int = 0
    duplicate_count: int = 0
    local_count: int = 0
    rows: list[str] = field(default_factory=list)

    def problem(self, *, is_stored: bool) -> str:
        """Return what is wrong, '' if nothing. `is_stored`: some mailbox got the message.

        Two addresses of one mailbox share a copy: a local row may have its `stored` elsewhere.
        """
        kept_count = self.stored_count + len(self.rows) - self.local_count
        is_kept = kept_count or self.duplicate_count or (self.local_count and is_stored)
        # What led on to others is nowhere itself, unless it is one of those others.
        is_owed = self.is_target or (self.is_accepted and not self.is_expanded)
        if is_owed and not is_kept:
            return "in no state"
        is_audited = self.is_accepted or self.is_target
        if is_audited and max(kept_count, len(self.rows)) > is_owed:
            return "in two states"
        return ""

    def __str__(self) -> str:
        events = [
            *["expanded"] * self.is_expanded,
            *["stored"] * self.stored_count,
            *["duplicate"] * self.duplicate_count,
        ]
        return ", ".join([*events, *self.rows]) or "nothing"


def audit(*, now: datetime, chunk: int = CHUNK) -> Iterator[Breach]:
    """Yield every breach, of what was accepted in the last 30 days and of all queue rows.

    Reads `chunk` rows in one snapshot at a time, so that on SQLite deliveries wait only shortly.
    Raises DatabaseError.
    """
    yield from _unbalanced(since=now - _AUDITED, chunk=chunk)
    for check, detail, rows in _row_checks(now):
        yield from _rows(check, detail, rows, chunk=chunk)
    yield from _without_recipients(chunk=chunk)


def _unbalanced(*, since: datetime, chunk: int) -> Iterator[Breach]:
    last = 0
    while True:
        with transaction.atomic():
            _take_snapshot()
            accepted = TraceEvent.objects.filter(kind="accepted", at__gte=since, pk__gt=last)
            ids = list(accepted.order_by("pk").values_list("pk", flat=True)[:chunk])
            accounts = _accounts(accepted.filter(pk__lte=ids[-1]), after=last) if ids else {}
        if not ids:
            return
        yield from _judge(accounts)
        last = ids[-1]


def _judge(accounts: Mapping[_Path, _Account]) -> Iterator[Breach]:
    # A Sent copy is stored for no forward-path, and proves nothing.
    stored = {path[:2] for path, account in accounts.items() if path[2] and account.stored_count}
    for path, account in accounts.items():
        if problem := account.problem(is_stored=path[:2] in stored):
            yield Breach(problem, path[0], path[2], f"found: {account}")


def _accounts(accepted: QuerySet[TraceEvent], *, after: int) -> dict[_Path, _Account]:
    """Return the accounts of the messages whose first `accepted` is among these."""
    traces = accepted.values("trace_id")
    accounts: dict[_Path, _Account] = defaultdict(_Account)
    done: set[uuid.UUID] = set()
    events = TraceEvent.objects.filter(trace_id__in=traces, kind__in=_KINDS).order_by("pk")
    for pk, kind, *path, detail in events.values_list("pk", "kind", *_PATH, "detail"):
        account = accounts[path[0], path[1], path[2]]
        match kind:
            case "accepted":
                account.is_accepted = True
                if pk <= after:
                    done.add(path[0])
            case "stored":
                account.stored_count += 1
            case "duplicate":
                account.duplicate_count += 1
            case "expanded":
                account.is_expanded = True
                for target in _targets(detail):
                    accounts[path[0], path[1], target].is_target = True
    _add_rows(accounts, traces)
    return {path: account for path, account in accounts.items() if path[0] not in done}


def _targets(detail: object) -> list[str]:
    into = detail.get("into") if isinstance(detail, dict) else None
    return [str(target) for target in into] if isinstance(into, list) else []


def _add_rows(accounts: dict[_Path, _Account], traces: QuerySet[TraceEvent, Any]) -> None:
    rows = QueuedRecipient.objects.filter(message__trace_id__in=traces).order_by("pk")
    paths = ("message__trace_id", "message__reverse_path", "forward_path")
    for *path, state, route, public_id in rows.values_list(*paths, "state", "route", "public_id"):
        account = accounts[path[0], path[1], path[2]]
        account.rows.append(f"{state} {public_id}")
        account.local_count += route == "local" and state == State.DELIVERED


def _row_checks(now: datetime) -> list[tuple[str, str, QuerySet[QueuedRecipient]]]:
    """Return what must not be, as check, explanation and the rows that are so (G5)."""
    rows = QueuedRecipient.objects
    terminal = Q(state__in=TERMINAL)
    return [
        (
            "lease",
            "its lease ended more than five minutes ago and nobody took it",
            rows.filter(state=State.QUEUED, lease_until__lt=now - LEASE_OVERDUE),
        ),
        (
            "lease",
            "is leased and not queued",
            rows.exclude(state=State.QUEUED).filter(lease_token__isnull=False),
        ),
        (
            "next time",
            "is queued and will never be tried",
            rows.filter(state=State.QUEUED, next_attempt_at__isnull=True),
        ),
        (
            "dsn",
            "ended without a DSN or a reason for none",
            rows.filter(state__in=(State.FAILED, State.EXPIRED), dsn_outcome=""),
        ),
        (
            "finished",
            "has ended without a time, or a time and has not ended",
            rows.filter(
                (terminal & Q(finished_at__isnull=True))
                | (~terminal & Q(finished_at__isnull=False))
            ),
        ),
    ]


def _rows(
    check: str, detail: str, wrong: QuerySet[QueuedRecipient], *, chunk: int
) -> Iterator[Breach]:
    last = 0
    columns = ("pk", "message__trace_id", "forward_path", "public_id", "state")
    while found := list(wrong.filter(pk__gt=last).order_by("pk").values_list(*columns)[:chunk]):
        for _, trace_id, forward, public_id, state in found:
            yield Breach(check, trace_id, forward, f"{state} {public_id} {detail}")
        last = found[-1][0]


def _without_recipients(*, chunk: int) -> Iterator[Breach]:
    last = 0
    recipients = QueuedRecipient.objects.filter(message_id=OuterRef("pk"))
    empty = QueuedMessage.objects.filter(~Exists(recipients)).order_by("pk")
    while found := list(
        empty.filter(pk__gt=last).values_list("pk", "trace_id", "public_id")[:chunk]
    ):
        for _, trace_id, public_id in found:
            yield Breach("no recipient", trace_id, "", f"message {public_id} has no recipient")
        last = found[-1][0]


def _take_snapshot() -> None:
    """Let the queries of a chunk see one state; on SQLite the transaction does it by itself."""
    if connection.vendor == "postgresql" and not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
