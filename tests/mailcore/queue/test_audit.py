"""The audit is silent about sound books and finds every kind of breach that is planted."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from mailcore import trace
from mailcore.models.queue import QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.queue.audit import Breach, audit
from tests.support.deliveries import NOW
from tests.support.queued import make_queued

pytestmark = pytest.mark.django_db

CAROL, BOB, TEAM = "carol@outside.example", "bob@hamburger.test", "team@hamburger.test"
AWAY = "dave@elsewhere.example"


def note(kind: str, path: str, *, trace_id: uuid.UUID, into: list[str] | None = None) -> None:
    detail: dict[str, object] | None = {"into": into} if into is not None else None
    entry = trace.Entry(
        trace_id=trace_id, at=NOW, kind=kind, reverse_path=CAROL, forward_path=path, detail=detail
    )
    trace.record([entry])


def accept(*paths: str) -> uuid.UUID:
    trace_id = uuid.uuid4()
    for path in paths:
        note("accepted", path, trace_id=trace_id)
    return trace_id


def queue(path: str, *, trace_id: uuid.UUID, **columns: Any) -> QueuedRecipient:
    [row] = make_queued(path, reverse_path=CAROL, trace_id=trace_id, **columns)
    return row


def checks(**options: int) -> list[tuple[str, str]]:
    return [(breach.check, breach.forward_path) for breach in audit(now=NOW, **options)]


@pytest.fixture
def sound() -> None:
    """One message of every kind of fate."""
    note("stored", BOB, trace_id=accept(BOB))
    note("duplicate", BOB, trace_id=accept(BOB))
    team = accept(TEAM, BOB)
    note("expanded", TEAM, trace_id=team, into=[BOB, AWAY])
    note("stored", BOB, trace_id=team)
    note("duplicate", BOB, trace_id=team)
    queue(AWAY, trace_id=team)
    for state in ("queued", "held", "captured", "delivered", "cancelled"):
        queue(AWAY, trace_id=accept(AWAY), state=state)
    for state in ("failed", "expired"):
        queue(AWAY, trace_id=accept(AWAY), state=state, dsn_outcome="sent")
    local = accept(BOB, TEAM)  # two addresses of one mailbox share a copy
    queue(BOB, trace_id=local, state="delivered", route="local")
    queue(TEAM, trace_id=local, state="delivered", route="local")
    note("stored", BOB, trace_id=local)
    note("stored", "", trace_id=local)  # the Sent copy
    queue(BOB, trace_id=accept(BOB), route="local")
    meeting = accept(BOB, TEAM)  # a row for both ways to the same address
    note("expanded", TEAM, trace_id=meeting, into=[BOB])
    queue(BOB, trace_id=meeting)
    own = accept(BOB)  # forwards, and keeps a copy
    note("expanded", BOB, trace_id=own, into=[BOB, AWAY])
    note("stored", BOB, trace_id=own)
    queue(AWAY, trace_id=own)
    leased = {"lease_token": uuid.uuid4(), "lease_until": NOW - timedelta(minutes=4)}
    queue(AWAY, trace_id=accept(AWAY), **leased)
    note("refused", BOB, trace_id=uuid.uuid4())
    make_queued(CAROL, reverse_path="", origin="dsn")  # a bounce: nobody sent it to us


@pytest.mark.parametrize("chunk", [1, 2, 2000])
def test_sound_books_have_no_breach(sound, chunk, capsys):
    assert checks(chunk=chunk) == []


def test_the_command_is_content_with_sound_books(sound, capsys):
    leased = QueuedRecipient.objects.exclude(lease_token=None)
    leased.update(lease_until=timezone.now())  # the command goes by the real clock
    call_command("audit_mail")
    assert capsys.readouterr().out == "0 findings\n"


@pytest.mark.parametrize("chunk", [1, 2000])
def test_what_was_accepted_and_is_nowhere_is_found(sound, chunk):
    accept(BOB)
    team = accept(TEAM)
    note("expanded", TEAM, trace_id=team, into=[BOB, AWAY])
    note("stored", BOB, trace_id=team)
    own = accept(BOB)
    note("expanded", BOB, trace_id=own, into=[BOB])
    assert checks(chunk=chunk) == [
        ("in no state", BOB),
        ("in no state", AWAY),
        ("in no state", BOB),
    ]


def test_a_local_recipient_that_was_called_delivered_but_never_stored_is_found(sound):
    lost = accept(BOB)
    queue(BOB, trace_id=lost, state="delivered", route="local")
    note("stored", "", trace_id=lost)  # the Sent copy is no delivery
    assert checks() == [("in no state", BOB)]


@pytest.mark.parametrize("chunk", [1, 2000])
def test_what_is_in_two_states_is_found(sound, chunk):
    stored = accept(BOB)
    note("stored", BOB, trace_id=stored)
    note("stored", BOB, trace_id=stored)
    both = accept(AWAY)
    note("stored", AWAY, trace_id=both)
    queue(AWAY, trace_id=both)
    queued = accept(AWAY)
    queue(AWAY, trace_id=queued)
    queue(AWAY, trace_id=queued, state="delivered")
    local = accept(BOB)
    queue(BOB, trace_id=local, route="local")
    note("stored", BOB, trace_id=local)
    spent = accept(TEAM)
    note("expanded", TEAM, trace_id=spent, into=[])
    note("stored", TEAM, trace_id=spent)
    found = list(audit(now=NOW, chunk=chunk))
    assert [(breach.check, breach.trace_id) for breach in found] == [
        ("in two states", trace_id) for trace_id in (stored, both, queued, local, spent)
    ]
    assert "delivered" in found[2].detail
    assert "queued" in found[2].detail


def test_a_message_beside_a_breach_is_not_blamed():
    one, other = accept(BOB, AWAY), accept(BOB, AWAY)
    for trace_id in (one, other):
        note("stored", BOB, trace_id=trace_id)
    queue(AWAY, trace_id=one)
    [breach] = audit(now=NOW)
    assert (breach.trace_id, breach.forward_path) == (other, AWAY)


def test_what_the_sweeps_may_have_taken_is_not_audited():
    accept(BOB)
    TraceEvent.objects.update(at=NOW - timedelta(days=30))
    assert checks() == []
    TraceEvent.objects.update(at=NOW - timedelta(days=29))
    assert checks() == [("in no state", BOB)]


@pytest.mark.parametrize(
    ("columns", "check"),
    [
        ({"lease_token": uuid.UUID(int=1), "lease_until": NOW - timedelta(minutes=6)}, "lease"),
        ({"state": "held", "lease_token": uuid.UUID(int=1), "lease_until": NOW}, "lease"),
        ({"state": "failed"}, "dsn"),
        ({"state": "expired"}, "dsn"),
        ({"state": "delivered", "finished_at": None}, "finished"),
        ({"state": "queued", "finished_at": NOW}, "finished"),
    ],
)
def test_a_row_that_nobody_will_end_is_found(sound, columns, check):
    queue(AWAY, trace_id=accept(AWAY), **columns)
    assert checks() == [(check, AWAY)]


def test_a_queued_row_without_a_next_time_is_found(sound):
    row = queue(AWAY, trace_id=accept(AWAY))
    with connection.cursor() as cursor:  # the table itself forbids it
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "ALTER TABLE mailcore_queuedrecipient DROP CONSTRAINT ck_queuedrecipient_next"
            )
        try:
            QueuedRecipient.objects.filter(pk=row.pk).update(next_attempt_at=None)
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
    assert checks() == [("next time", AWAY)]


def test_a_message_without_recipients_is_found(sound):
    row = queue(AWAY, trace_id=uuid.uuid4())
    row.delete()
    [breach] = audit(now=NOW)
    assert breach == Breach(
        "no recipient",
        row.message.trace_id,
        "",
        f"message {row.message.public_id} has no recipient",
    )


def test_many_breaches_are_read_in_chunks(sound):
    for number in range(5):
        make_queued(f"{number}@outside.example", state="failed")
    assert len(checks(chunk=2)) == 5


def test_many_messages_cost_few_queries(django_assert_max_num_queries):
    trace_ids = [uuid.uuid4() for _ in range(300)]
    for kind in ("accepted", "stored"):
        trace.record(
            trace.Entry(trace_id=one, at=NOW, kind=kind, forward_path=BOB) for one in trace_ids
        )
    with django_assert_max_num_queries(25):
        assert checks() == []


@pytest.mark.django_db(transaction=True)
def test_the_audit_takes_its_own_snapshots():
    lost = accept(BOB)
    [breach] = audit(now=NOW)
    assert breach.trace_id == lost


def test_the_command_names_the_rows_and_exits_with_1(capsys):
    lost = accept("bob\x1b@hamburger.test")
    TraceEvent.objects.update(at=NOW + timedelta(days=3650))
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_mail")
    out = capsys.readouterr().out
    assert out.startswith(
        f"in no state: trace {lost.hex} to 'bob\\x1b@hamburger.test': found: nothing\n"
    )
    assert out.endswith("\n1 findings\n")
