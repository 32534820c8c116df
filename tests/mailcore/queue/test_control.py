"""Hold, release, cancel, retry now, expire, capture: conditional, traced, never under a lease."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from mailcore.models.queue import QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.queue import claim, control, outcome
from mailcore.queue.control import Which
from tests.support.queueing import (
    BUSY,
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
CAROL = "carol@else.example"


@pytest.fixture(autouse=True)
def _direct(settings):
    settings.OUTBOUND_MODE = "direct"


def _bob() -> Which:
    return Which(recipients=[row_of(BOB).public_id])


def _end(which: Which) -> int:
    return control.expire(which=which, now=NOW, report=Reports())


def _last_event() -> TraceEvent:
    return TraceEvent.objects.latest("id")


def test_held_row_waits_until_it_is_released():
    queue_message(BOB)
    assert control.hold(which=_bob(), now=NOW, by="operator") == 1
    assert (row_of(BOB).state, row_of(BOB).next_attempt_at) == ("held", None)
    assert claim.claim(now=NOW + timedelta(days=9)) == []
    later = NOW + timedelta(days=9)
    assert control.release(which=_bob(), now=later, by="operator") == 1
    assert row_of(BOB).message.expires_at == later + timedelta(days=5)
    assert len(claim.claim(now=later)) == 1
    events = TraceEvent.objects.order_by("id").values_list("kind", "detail")
    assert list(events)[1:] == [
        ("held", {"by": "operator"}),
        ("released", {"by": "operator"}),
    ]


def test_release_does_not_hasten_what_the_sender_put_off():
    later = NOW + timedelta(hours=1)
    queue_message(BOB, not_before=later)
    control.hold(which=_bob(), now=NOW)
    control.release(which=_bob(), now=NOW)
    assert row_of(BOB).next_attempt_at == later


def test_captured_mail_leaves_for_its_real_destination(settings):
    settings.OUTBOUND_MODE = "capture"
    queue_message(BOB)
    assert control.release(which=_bob(), now=NOW) == 0
    assert control.release_captured(which=_bob(), now=NOW) == 1
    assert (row_of(BOB).state, row_of(BOB).route) == ("queued", "mx")
    assert _last_event().kind == "released"
    assert control.release_captured(which=_bob(), now=NOW) == 0


def test_batch_of_the_route_captured_is_kept_when_its_time_has_come(settings):
    settings.OUTBOUND_MODE = "capture"
    queue_message(BOB, not_before=NOW + minutes(1))
    (batch,) = claim.claim(now=NOW + minutes(1))
    assert control.capture(batch=batch, now=NOW + minutes(1)) == 1
    row = row_of(BOB)
    assert (row.state, row.next_attempt_at, row.lease_token) == ("captured", None, None)
    assert _last_event().kind == "captured"


def test_batch_whose_lease_was_lost_is_not_captured(settings):
    settings.OUTBOUND_MODE = "capture"
    queue_message(BOB, not_before=NOW + minutes(1))
    (lost,) = claim.claim(now=NOW + minutes(1))
    claim.claim(now=NOW + minutes(3))
    assert control.capture(batch=lost, now=NOW + minutes(3)) == 0
    assert row_of(BOB).state == "queued"


def test_waiting_row_is_tried_at_once_when_somebody_asks():
    queue_message(BOB)
    (batch,) = claim.claim(now=NOW)
    outcome.finish([ending(batch, BUSY)], now=NOW, report=Reports(), jitter=no_jitter)
    assert control.retry_now(which=_bob(), now=NOW + minutes(1)) == 1
    assert len(claim.claim(now=NOW + minutes(1))) == 1


def test_a_time_that_the_sender_chose_is_kept():
    queue_message(BOB, not_before=NOW + minutes(10))
    assert control.retry_now(which=_bob(), now=NOW) == 0
    assert claim.claim(now=NOW) == []


def test_cancelled_row_is_finished_and_says_by_whom():
    queue_message(BOB, CAROL)
    assert control.cancel(which=_bob(), now=NOW, by="alice") == 1
    row = row_of(BOB)
    assert (row.state, row.finished_at, row.next_attempt_at) == ("cancelled", NOW, None)
    assert row_of(CAROL).state == "queued"
    assert (_last_event().kind, _last_event().detail) == ("cancelled", {"by": "alice"})


def test_message_is_meant_as_a_whole():
    queued = queue_message(BOB, CAROL)
    queue_message("dora@outside.example")
    assert control.hold(which=Which(message=queued.public_id), now=NOW) == 2
    assert row_of("dora@outside.example").state == "queued"


def test_nobody_is_meant_by_nothing():
    queue_message(BOB)
    assert control.cancel(which=Which(), now=NOW) == 0
    assert control.cancel(which=Which(message=uuid.uuid4()), now=NOW) == 0


@pytest.mark.parametrize(
    "act",
    [
        lambda which: control.hold(which=which, now=NOW),
        lambda which: control.cancel(which=which, now=NOW),
        lambda which: control.retry_now(which=which, now=NOW),
        _end,
    ],
    ids=["hold", "cancel", "retry", "expire"],
)
def test_row_under_a_lease_is_left_alone(act: Callable[[Which], int]):
    queue_message(BOB)
    (batch,) = claim.claim(now=NOW)
    assert act(_bob()) == 0
    row = row_of(BOB)
    assert (row.state, row.lease_token) == ("queued", batch.token)


def test_lease_that_ran_out_hinders_nobody():
    queue_message(BOB)
    (batch,) = claim.claim(now=NOW)
    later = NOW + claim.LEASE
    assert control.cancel(which=_bob(), now=later) == 1
    outcome.finish([ending(batch, OK)], now=later, report=Reports())
    assert row_of(BOB).state == "cancelled"


@pytest.mark.parametrize("act", [control.hold, control.cancel, control.release, control.retry_now])
def test_what_is_over_stays_over(act):
    queue_message(BOB)
    (batch,) = claim.claim(now=NOW)
    outcome.finish([ending(batch, OK)], now=NOW, report=Reports())
    assert act(which=_bob(), now=NOW + minutes(1)) == 0
    assert row_of(BOB).state == "delivered"


def test_unsent_message_is_taken_back_as_a_whole():
    queued = queue_message(BOB, CAROL, not_before=NOW + minutes(1))
    unsent = control.cancel_unsent(message=queued.public_id, now=NOW, by="alice")
    assert unsent == control.Unsent(queued.message_id, None, None, 2)
    assert {row.state for row in QueuedRecipient.objects.all()} == {"cancelled"}
    assert control.cancel_unsent(message=queued.public_id, now=NOW) is None


def test_message_that_was_begun_is_not_taken_back():
    queued = queue_message(BOB, CAROL)
    claim.claim(now=NOW, avoid={"outside.example"})
    assert control.cancel_unsent(message=queued.public_id, now=NOW) is None
    assert row_of(BOB).state == "queued"


def test_row_that_was_given_up_ends_with_its_dsn():
    queue_message(BOB, CAROL)
    reports = Reports()
    assert control.expire(which=_bob(), now=NOW, report=reports, by="operator") == 1
    row = row_of(BOB)
    assert (row.state, row.finished_at, row.dsn_outcome) == ("expired", NOW, "sent")
    (ended,) = reports.ended
    assert (ended.state, ended.recipient.id, ended.reply.code) == ("expired", row.pk, 554)
    assert _last_event().kind == "expired"
