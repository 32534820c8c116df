"""Claims: leases, fairness between domains, holds, and two claimers at once."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import timedelta

import pytest
from django.db import connection, transaction

from mailcore.models.queue import QueuedMessage, QueuedRecipient
from mailcore.queue import claim
from mailcore.queue.batch import Lease
from mailcore.queue.destinations import touch_destination
from mailcore.queue.enqueue import Recipient
from mailcore.queue.writer import writer
from tests.support.people import make_person
from tests.support.queueing import NOW, queue_many, queue_message, row_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _direct(settings):
    settings.OUTBOUND_MODE = "direct"


def _domains(batches: list[claim.Batch]) -> Counter[str]:
    return Counter(batch.domain for batch in batches)


def test_batch_holds_what_a_transaction_needs():
    queued = queue_message(
        Recipient("bob@outside.example", original="team@hamburger.test", notify="SUCCESS,FAILURE"),
        envid="e1",
        ret="HDRS",
        smtputf8=True,
    )
    (batch,) = claim.claim(now=NOW)
    assert (batch.domain, batch.route, batch.reverse_path) == (
        "outside.example",
        "mx",
        "alice@hamburger.test",
    )
    assert (batch.message_id, batch.public_id) == (queued.message_id, queued.public_id)
    assert (batch.prefix, batch.envid, batch.ret) == (b"Received: here\r\n", "e1", "HDRS")
    assert batch.smtputf8
    assert not batch.body_8bit
    assert batch.expires_at == NOW + timedelta(days=5)
    (bob,) = batch.recipients
    assert (bob.forward_path, bob.original_forward_path, bob.notify, bob.attempt_count) == (
        "bob@outside.example",
        "team@hamburger.test",
        "SUCCESS,FAILURE",
        0,
    )
    row = row_of("bob@outside.example")
    assert (row.pk, row.lease_token, row.lease_until) == (bob.id, batch.token, NOW + claim.LEASE)


@pytest.mark.parametrize("not_before", [None, NOW + timedelta(minutes=1)])
def test_every_field_of_a_batch_is_that_of_its_row(not_before):
    alice = make_person("alice@hamburger.test")
    sent_by = {"submitter_id": alice.user.pk, "mailbox_id": alice.mailbox.pk}
    queue_message(
        Recipient("bob@outside.example", original="b@x.example", notify="DELAY", orcpt="rfc822;b"),
        **{"envid": "e", "ret": "FULL", "body_8bit": True, "not_before": not_before, **sent_by},
    )
    told_at = NOW - timedelta(hours=1, microseconds=-5)
    QueuedRecipient.objects.update(delay_dsn_at=told_at, attempt_count=3)
    (batch,) = claim.claim(now=NOW + timedelta(minutes=2))
    row = row_of("bob@outside.example")
    for field in fields(claim.Batch):
        if field.name not in {"token", "domain", "route", "message_id", "recipients", "prefix"}:
            assert getattr(batch, field.name) == getattr(row.message, field.name), field.name
    assert (batch.token, batch.domain, batch.route) == (row.lease_token, row.domain, row.route)
    assert (batch.message_id, batch.prefix) == (row.message_id, bytes(row.message.prefix))
    (bob,) = batch.recipients
    for field in fields(claim.ClaimedRecipient):
        assert getattr(bob, field.name) == getattr(row, field.name), field.name


def test_row_whose_route_changed_since_it_was_chosen_is_left():
    queue_message("bob@outside.example")
    row = row_of("bob@outside.example")
    stale = Lease(row.pk, "smarthost", uuid.uuid4())
    with transaction.atomic():
        assert writer().lease([stale], now=NOW, until=NOW + claim.LEASE) == []
    assert row_of("bob@outside.example").lease_token is None


def test_recipients_of_one_message_and_domain_go_together():
    queue_message("a@one.example", "b@one.example", "c@two.example")
    queue_message("d@one.example")
    batches = claim.claim(now=NOW)
    together = sorted(tuple(r.forward_path for r in batch.recipients) for batch in batches)
    assert together == [("a@one.example", "b@one.example"), ("c@two.example",), ("d@one.example",)]
    assert len({batch.token for batch in batches}) == 3


def test_batch_has_at_most_fifty_recipients():
    queue_message(*(f"u{number}@one.example" for number in range(60)))
    (first,) = claim.claim(now=NOW)
    (second,) = claim.claim(now=NOW)
    assert (len(first.recipients), len(second.recipients)) == (50, 10)


def test_claimed_rows_are_not_claimed_again_until_the_lease_ends():
    queue_message("bob@outside.example")
    (first,) = claim.claim(now=NOW)
    assert claim.claim(now=NOW + timedelta(seconds=44)) == []
    (second,) = claim.claim(now=NOW + timedelta(seconds=45))
    assert second.recipients == first.recipients
    assert second.token != first.token


def test_renewal_prolongs_what_is_ours_and_tells_what_is_not():
    queue_message("bob@outside.example")
    (lost,) = claim.claim(now=NOW)
    later = NOW + claim.LEASE
    (mine,) = claim.claim(now=later)
    assert claim.renew(tokens=[lost.token, mine.token], now=later) == {mine.token}
    later += timedelta(seconds=10)
    assert claim.renew(tokens=[mine.token], now=later) == {mine.token}
    assert claim.claim(now=later + timedelta(seconds=44)) == []


def test_batch_given_back_is_due_at_once_and_was_no_attempt():
    queue_message("bob@outside.example")
    (batch,) = claim.claim(now=NOW)
    claim.give_back(tokens=[batch.token], now=NOW)
    assert row_of("bob@outside.example").lease_token is None
    (again,) = claim.claim(now=NOW)
    assert again.recipients[0].attempt_count == 0


def test_nothing_is_claimed_before_its_time():
    queue_message("bob@outside.example", not_before=NOW + timedelta(seconds=10))
    assert claim.claim(now=NOW) == []
    (batch,) = claim.claim(now=NOW + timedelta(seconds=10))
    assert batch.not_before == NOW + timedelta(seconds=10)


@pytest.mark.parametrize("state", ["held", "captured", "failed", "cancelled"])
def test_only_queued_rows_are_claimed(state: str):
    queue_message("bob@outside.example")
    QueuedRecipient.objects.update(state=state, next_attempt_at=None)
    assert claim.claim(now=NOW) == []


def test_no_domain_takes_more_than_its_share():
    queue_many(30, "big.example")
    queue_message("bob@small.example")
    assert _domains(claim.claim(now=NOW)) == {"big.example": 20, "small.example": 1}


def test_a_domain_with_thousands_of_rows_starves_nobody(django_assert_max_num_queries):
    _make_rows(3000, "dead.example")
    for number in range(30):
        queue_message(f"u@zz{number}.example")
    with django_assert_max_num_queries(12):
        batches = claim.claim(now=NOW)
    assert _domains(batches)["dead.example"] == 20
    assert len(batches) == 50


def test_domains_get_their_turns_though_every_claim_is_full():
    for number in range(12):
        queue_many(8, f"d{number:02}.example")
    seen: Counter[str] = Counter()
    for _ in range(6):
        seen += _domains(claim.claim(now=NOW, limit=8, per_domain=4))
    assert seen == {f"d{number:02}.example": 4 for number in range(12)}


def test_domain_on_hold_is_left_alone_until_the_hold_ends():
    queue_many(3, "dead.example")
    queue_message("bob@live.example")
    until = NOW + timedelta(minutes=5)
    touch_destination(kind="domain", name="dead.example", is_success=False, hold_until=until)
    assert _domains(claim.claim(now=NOW)) == {"live.example": 1}
    assert _domains(claim.claim(now=until))["dead.example"] == 3


def test_hold_of_a_host_is_no_hold_of_a_domain():
    queue_message("bob@live.example")
    until = NOW + timedelta(minutes=5)
    touch_destination(kind="host", name="live.example", is_success=False, hold_until=until)
    assert len(claim.claim(now=NOW)) == 1


def test_domains_to_avoid_are_left_out():
    queue_many(3, "full.example")
    queue_message("bob@live.example")
    assert _domains(claim.claim(now=NOW, avoid={"full.example"})) == {"live.example": 1}


def test_claim_of_a_hundred_batches_is_a_handful_of_statements(django_assert_max_num_queries):
    for number in range(100):
        queue_message(f"u@d{number}.example")
    with django_assert_max_num_queries(8):  # with the savepoint of this test
        assert len(claim.claim(now=NOW)) == 100
    with django_assert_max_num_queries(2):
        assert claim.claim(now=NOW) == []


def test_next_due_tells_when_to_look_again():
    assert claim.next_due_at(now=NOW) is None
    queue_message("bob@outside.example", not_before=NOW + timedelta(hours=1))
    assert claim.next_due_at(now=NOW) == NOW + timedelta(hours=1)
    queue_message("carol@outside.example")
    assert claim.next_due_at(now=NOW) == NOW
    claim.claim(now=NOW)
    assert claim.next_due_at(now=NOW) == NOW + claim.LEASE


def test_next_due_does_not_count_domains_on_hold():
    queue_message("bob@dead.example")
    until = NOW + timedelta(minutes=5)
    touch_destination(kind="domain", name="dead.example", is_success=False, hold_until=until)
    assert claim.next_due_at(now=NOW) is None


@pytest.mark.django_db(transaction=True)
def test_two_claimers_at_once_never_share_a_row():
    _make_rows(400, "one.example")
    together = threading.Barrier(2)

    def work() -> list[claim.Batch]:
        try:
            together.wait(10)
            return _drain(limit=10)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        claimers = [pool.submit(work), pool.submit(work)]
    taken = [r.id for claimer in claimers for batch in claimer.result() for r in batch.recipients]
    assert len(taken) == len(set(taken))
    # Who finds nothing free beside the other ends early; what is left is still there to take.
    rest = [r.id for batch in _drain() for r in batch.recipients]
    assert sorted(taken + rest) == sorted(QueuedRecipient.objects.values_list("pk", flat=True))


def _drain(*, limit: int = 100) -> list[claim.Batch]:
    found = []
    while batches := claim.claim(now=NOW, limit=limit):
        found += batches
    return found


def _make_rows(count: int, domain: str) -> None:
    """Make rows as `enqueue` does, but many at a time."""
    message = QueuedMessage.objects.get(pk=queue_message(f"u@{domain}").message_id)
    message.pk = None
    messages = [
        QueuedMessage(
            reverse_path=message.reverse_path,
            blob_id=message.blob_id,
            size=message.size,
            origin=message.origin,
            trace_id=message.trace_id,
            created_at=NOW,
            expires_at=message.expires_at,
        )
        for _ in range(count - 1)
    ]
    QueuedMessage.objects.bulk_create(messages, batch_size=500)
    QueuedRecipient.objects.bulk_create(
        [
            QueuedRecipient(
                message=m, forward_path=f"u@{domain}", domain=domain, next_attempt_at=NOW
            )
            for m in messages
        ],
        batch_size=500,
    )
