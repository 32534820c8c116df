"""Outcomes: attempts, times, ends and the DSNs that are due, in one transaction per group."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError

from mailcore.models.queue import DeliveryAttempt
from mailcore.models.trace import TraceEvent
from mailcore.queue import claim, outcome
from mailcore.queue.enqueue import Recipient
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Delivered, Failed, Result
from tests.support.queueing import (
    BUSY,
    NOBODY,
    NOW,
    OK,
    Reports,
    ending,
    minutes,
    no_jitter,
    queue_message,
    row_of,
)

pytestmark = pytest.mark.django_db

BOB = "bob@outside.example"


@pytest.fixture(autouse=True)
def _direct(settings):
    settings.OUTBOUND_MODE = "direct"


@pytest.fixture
def reports() -> Reports:
    return Reports()


def _try(result, reports, *, at=NOW, **values) -> claim.Batch:
    """Claim the only batch at `at` and end it."""
    (batch,) = claim.claim(now=at)
    outcome.finish([ending(batch, result, **values)], now=at, report=reports, jitter=no_jitter)
    return batch


def test_delivered_recipient_is_finished_and_asks_for_no_dsn(reports):
    queue_message(BOB)
    _try(OK, reports)
    row = row_of(BOB)
    assert (row.state, row.finished_at, row.next_attempt_at) == ("delivered", NOW, None)
    assert (row.lease_token, row.lease_until, row.attempt_count) == (None, None, 1)
    assert (row.last_reply, row.remote_host) == (
        "250 2.0.0 Ok: queued as 4F2A",
        "mx.outside.example",
    )
    assert row.dsn_outcome == ""
    assert reports.ended == []


def test_success_is_reported_where_it_was_asked_for(reports):
    queue_message(Recipient(BOB, notify="SUCCESS,FAILURE"))
    _try(OK, reports, relayed_dsn=True)
    (ended,) = reports.ended
    assert (ended.state, ended.relayed_dsn, ended.at) == ("delivered", True, NOW)
    assert row_of(BOB).dsn_outcome == "sent"


def test_refused_recipient_fails_with_its_dsn(reports):
    queue_message(BOB)
    _try(NOBODY, reports)
    row = row_of(BOB)
    assert (row.state, row.finished_at, row.dsn_outcome) == ("failed", NOW, "sent")
    (ended,) = reports.ended
    assert (ended.state, ended.reply, ended.host) == ("failed", NOBODY.reply, "mx.outside.example")
    assert ended.recipient.id == row.pk


def test_deferred_recipient_comes_back_by_the_schedule(reports):
    queue_message(BOB)
    at = NOW
    for step in (5, 15, 30, 60, 120):
        _try(BUSY, reports, at=at)
        assert row_of(BOB).next_attempt_at == at + minutes(step)
        at += minutes(step)
    row = row_of(BOB)
    assert (row.state, row.attempt_count, row.finished_at) == ("queued", 5, None)
    assert row.last_reply == "451 4.3.2 Come back later"
    assert reports.ended == []


def test_recipients_of_a_batch_come_back_together(reports):
    queue_message("a@one.example", "b@one.example")
    (batch,) = claim.claim(now=NOW)
    both = [ending(batch, BUSY, recipient=recipient) for recipient in batch.recipients]
    outcome.finish(both, now=NOW, report=reports)
    at = row_of("a@one.example").next_attempt_at
    assert at == row_of("b@one.example").next_attempt_at
    assert at is not None
    assert abs(at - NOW - minutes(5)) <= minutes(0.5)


def test_delay_is_told_once_at_its_time(reports):
    queue_message(BOB)
    _try(BUSY, reports, at=NOW + minutes(230))
    told_at = NOW + timedelta(hours=4)
    _reach(4, told_at, reports)
    _try(BUSY, reports, at=told_at)
    assert reports.states == ["delayed"]
    row = row_of(BOB)
    assert (row.state, row.delay_dsn_at, row.dsn_outcome) == ("queued", told_at, "")
    _try(BUSY, reports, at=row.next_attempt_at)
    assert reports.states == ["delayed"]


def _reach(attempt_count: int, at, reports) -> None:
    """Defer until the next attempt is the one at `at`."""
    while (row := row_of(BOB)).next_attempt_at < at:
        _try(BUSY, reports, at=row.next_attempt_at)
    assert row_of(BOB).next_attempt_at == at
    assert row_of(BOB).attempt_count <= attempt_count


@pytest.mark.parametrize(
    "envelope", [{"notify": "NEVER"}, {"notify": "FAILURE"}, {"reverse_path": ""}]
)
def test_delay_is_not_told_to_who_did_not_ask(reports, envelope):
    reverse_path = envelope.get("reverse_path", "alice@hamburger.test")
    queue_message(Recipient(BOB, notify=envelope.get("notify", "")), reverse_path=reverse_path)
    _try(BUSY, reports, at=NOW + timedelta(hours=5))
    assert reports.ended == []


def test_life_ends_with_a_last_attempt_and_a_dsn(reports):
    queue_message(BOB)
    end = NOW + timedelta(days=5)
    _try(BUSY, reports, at=end - minutes(1))
    assert row_of(BOB).next_attempt_at == end
    _try(BUSY, reports, at=end)
    row = row_of(BOB)
    assert (row.state, row.finished_at, row.dsn_outcome) == ("expired", end, "sent")
    assert reports.states == ["delayed", "expired"]


def test_bounce_lives_two_days(reports):
    queue_message(BOB, reverse_path="", origin="dsn")
    _try(BUSY, reports, at=NOW + timedelta(days=2))
    assert row_of(BOB).state == "expired"


def test_message_put_off_is_delayed_from_its_own_time_on(reports):
    queue_message(BOB, not_before=NOW + timedelta(days=1))
    _try(BUSY, reports, at=NOW + timedelta(days=1, hours=3))
    assert reports.ended == []


def test_recipients_of_one_message_end_each_in_its_own_way(reports):
    queue_message("a@one.example", "b@one.example", "c@one.example")
    (batch,) = claim.claim(now=NOW)
    results: dict[str, Result] = dict(
        zip([r.forward_path for r in batch.recipients], [OK, BUSY, NOBODY], strict=True)
    )
    outcome.finish(
        [ending(batch, results[r.forward_path], recipient=r) for r in batch.recipients],
        now=NOW,
        report=reports,
    )
    states = {path: row_of(path).state for path in results}
    assert states == {
        "a@one.example": "delivered",
        "b@one.example": "queued",
        "c@one.example": "failed",
    }
    assert reports.states == ["failed"]


def test_nothing_is_written_when_the_lease_was_lost(reports):
    queue_message(BOB, "carol@else.example")
    lost = {batch.domain: batch for batch in claim.claim(now=NOW)}
    later = NOW + claim.LEASE
    claim.renew(tokens=[lost["else.example"].token], now=later)
    (mine,) = claim.claim(now=later)
    endings = [ending(batch, NOBODY) for batch in lost.values()]
    outcome.finish(endings, now=later, report=reports)
    assert row_of(BOB).lease_token == mine.token
    assert (row_of(BOB).state, row_of(BOB).attempt_count) == ("queued", 0)
    assert row_of("carol@else.example").state == "failed"
    assert [entry.recipient.forward_path for entry in reports.ended] == ["carol@else.example"]
    assert DeliveryAttempt.objects.filter(recipient=row_of(BOB)).count() == 0
    assert not TraceEvent.objects.filter(forward_path=BOB, kind="failed").exists()


def test_nothing_is_written_twice(reports):
    queue_message(BOB)
    batch = _try(NOBODY, reports)
    outcome.finish([ending(batch, OK)], now=NOW, report=reports)
    assert row_of(BOB).state == "failed"
    assert reports.states == ["failed"]


def test_lease_that_ran_out_is_ours_while_nobody_took_it(reports):
    queue_message(BOB)
    (batch,) = claim.claim(now=NOW)
    outcome.finish([ending(batch, OK)], now=NOW + timedelta(minutes=2), report=reports)
    assert row_of(BOB).state == "delivered"


def test_no_end_without_its_dsn():
    queue_message(BOB)

    def report(ended, *, now):
        raise DatabaseError("the disk is full")

    (batch,) = claim.claim(now=NOW)
    with pytest.raises(DatabaseError):
        outcome.finish([ending(batch, NOBODY)], now=NOW, report=report)
    assert row_of(BOB).state == "queued"
    assert row_of(BOB).lease_token == batch.token


def test_attempt_is_written_before_and_completed_after(reports):
    queue_message(BOB)
    (batch,) = claim.claim(now=NOW)
    start = outcome.Start(batch.recipients[0].id, "mx.outside.example", "192.0.2.25")
    (attempt_id,) = outcome.begin([start], now=NOW)
    attempt = DeliveryAttempt.objects.get(pk=attempt_id)
    assert (attempt.started_at, attempt.host, attempt.code) == (NOW, "mx.outside.example", None)
    done = ending(
        batch,
        NOBODY,
        attempt_id=attempt_id,
        tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
        dialogue="RCPT TO:<bob@outside.example>\n550 5.1.1 No such user",
        duration_ms=120,
    )
    outcome.finish([done], now=NOW + minutes(1), report=reports)
    attempt.refresh_from_db()
    assert (attempt.started_at, attempt.duration_ms) == (NOW, 120)
    assert (attempt.code, attempt.enhanced, attempt.text) == (550, "5.1.1", "No such user")
    assert (attempt.tls, attempt.dialogue) == (done.tls, done.dialogue)


def test_ids_of_attempts_are_in_the_order_of_their_starts():
    for number in range(40):
        queue_message(f"u{number}@d{number}.example")
    batches = claim.claim(now=NOW)[::-1]
    starts = [outcome.Start(b.recipients[0].id, f'"{b.domain}\\', "192.0.2.25") for b in batches]
    ids = outcome.begin(starts, now=NOW)
    made = {row.pk: (row.recipient_id, row.host) for row in DeliveryAttempt.objects.all()}
    assert [made[pk] for pk in ids] == [(start.recipient_id, start.host) for start in starts]
    assert outcome.begin([], now=NOW) == []


def test_attempt_without_a_host_is_written_too(reports):
    queue_message(BOB)
    _try(BUSY, reports, host="", ip="", duration_ms=2000)
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.recipient_id, attempt.host, attempt.code) == (row_of(BOB).pk, "", 451)
    assert attempt.started_at == NOW - timedelta(seconds=2)


def test_try_goes_on_at_the_next_host():
    queue_message(BOB)
    (batch,) = claim.claim(now=NOW)
    (attempt_id,) = outcome.begin([outcome.Start(batch.recipients[0].id, "a", "")], now=NOW)
    outcome.go_on([ending(batch, BUSY, attempt_id=attempt_id)], now=NOW)
    assert DeliveryAttempt.objects.get().code == 451
    assert row_of(BOB).lease_token == batch.token
    assert row_of(BOB).attempt_count == 0
    assert TraceEvent.objects.filter(kind="attempted", forward_path=BOB).count() == 1


def test_each_end_leaves_its_trace(reports):
    queued = queue_message("a@one.example", "b@one.example", "c@one.example")
    (batch,) = claim.claim(now=NOW)
    results: list[Result] = [OK, BUSY, NOBODY]
    outcome.finish(
        [
            ending(batch, result, recipient=recipient)
            for recipient, result in zip(batch.recipients, results, strict=True)
        ],
        now=NOW,
        report=reports,
    )
    events = TraceEvent.objects.filter(trace_id=batch.trace_id).order_by("id")
    kinds = [(event.kind, event.forward_path, event.peer) for event in events[3:]]
    assert kinds == [
        ("delivered", "a@one.example", "192.0.2.25"),
        ("deferred", "b@one.example", "192.0.2.25"),
        ("failed", "c@one.example", "192.0.2.25"),
    ]
    assert events[4].reply == "451 4.3.2 Come back later"
    assert queued.public_id == batch.public_id


def test_hostile_words_of_a_peer_are_stored_as_far_as_they_fit(reports):
    queue_message(BOB)
    text = "\0 \udce4 \x1b[31m" + "x" * 3000
    result = Failed(Reply(550, "5.7.1" * 9, text))
    _try(result, reports, host="h" * 300, dialogue=text, tls="t" * 90)
    assert row_of(BOB).last_reply.startswith("550 5.7.1")
    assert len(row_of(BOB).last_reply) == 1000
    assert DeliveryAttempt.objects.get().dialogue.startswith("? ? \x1b")


def test_fifty_endings_are_a_handful_of_statements(reports, django_assert_max_num_queries):
    for number in range(50):
        queue_message(f"u{number}@d{number}.example")
    batches = claim.claim(now=NOW)
    starts = [outcome.Start(batch.recipients[0].id, "mx", "192.0.2.25") for batch in batches]
    with django_assert_max_num_queries(1):
        ids = outcome.begin(starts, now=NOW)
    results: list[Result] = [
        OK,
        BUSY,
        NOBODY,
        Delivered(Reply(250, "2.0.0", "other")),
        Deferred(BUSY.reply),
    ]
    endings = [
        ending(batch, results[place % 5], attempt_id=ids[place])
        for place, batch in enumerate(batches)
    ]
    # Savepoint, lock, attempts, trace, recipients; SQLite takes a thousand values a statement.
    with django_assert_max_num_queries(9):
        outcome.finish(endings, now=NOW, report=reports)
    assert len(reports.ended) == 10
    assert {row_of(f"u{n}@d{n}.example").attempt_count for n in range(50)} == {1}
