"""Conservation of mail: what was accepted for a recipient is in exactly one state (G5).

An `accepted` event, and each target of an `expanded` one, must be matched by one of `stored`,
`duplicate`, `expanded` or a QueuedRecipient. The `stored` of a QueuedRecipient with route `local`
is its `delivered`, not a second state. Reads in chunks beside deliveries; repairs nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
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
_OUTCOMES = ("stored", "duplicate", "expanded")

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
class _Balance:
    """What one message owes one forward-path, and where that is."""

    due: int = 0
    found: list[str] = field(default_factory=list)

    def breach(self, path: _Path) -> Breach | None:
        if not self.due or len(self.found) == self.due:
            return None
        check = "in no state" if len(self.found) < self.due else "in two states"
        places = ", ".join(sorted(self.found)) or "nothing"
        return Breach(check, path[0], path[2], f"accepted {self.due} times, found: {places}")


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
            balances = _balances(accepted.filter(pk__lte=ids[-1]), after=last) if ids else {}
        if not ids:
            return
        yield from filter(None, (balance.breach(path) for path, balance in balances.items()))
        last = ids[-1]


def _balances(accepted: QuerySet[TraceEvent], *, after: int) -> dict[_Path, _Balance]:
    """Return the balances of the messages whose first `accepted` is among these."""
    traces = accepted.values("trace_id")
    balances: dict[_Path, _Balance] = defaultdict(_Balance)
    done: set[uuid.UUID] = set()
    events = TraceEvent.objects.filter(trace_id__in=traces, kind__in=("accepted", *_OUTCOMES))
    for pk, kind, trace_id, reverse, forward, detail in events.order_by("pk").values_list(
        "pk", "kind", "trace_id", "reverse_path", "forward_path", "detail"
    ):
        balance = balances[trace_id, reverse, forward]
        if kind == "accepted":
            balance.due += 1
            if pk <= after:
                done.add(trace_id)
        if kind in _OUTCOMES:
            balance.found.append(kind)
        for target in _targets(detail) if kind == "expanded" else ():
            balances[trace_id, reverse, target].due += 1
    _add_rows(balances, traces)
    return {path: balance for path, balance in balances.items() if path[0] not in done}


def _targets(detail: object) -> list[str]:
    into = detail.get("into") if isinstance(detail, dict) else None
    return [str(target) for target in into] if isinstance(into, list) else []


def _add_rows(balances: dict[_Path, _Balance], traces: QuerySet[TraceEvent, Any]) -> None:
    rows = QueuedRecipient.objects.filter(message__trace_id__in=traces)
    for trace_id, reverse, forward, state, route, public_id in rows.values_list(
        "message__trace_id",
        "message__reverse_path",
        "forward_path",
        "state",
        "route",
        "public_id",
    ):
        if route != "local" or state != State.DELIVERED:
            balances[trace_id, reverse, forward].found.append(f"{state} {public_id}")


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
