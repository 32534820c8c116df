"""Enqueueing: routes, births, times, trace, and one call of the runner after COMMIT."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from mailcore.models.queue import QueuedMessage, QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.queue import claim, wake
from mailcore.queue.enqueue import Recipient
from tests.support.people import make_alice
from tests.support.queueing import NOW, queue_message, row_of

pytestmark = pytest.mark.django_db

BOB = "bob@outside.example"
WAKES: list[str] = []


def note_wake() -> None:
    """Stand where the runner is told: QUEUE_DISPATCHER names this function."""
    WAKES.append("now")


def fail_to_wake() -> None:
    """Stand where the broker is away."""
    raise ConnectionError("no broker")


@pytest.fixture(autouse=True)
def _direct(settings):
    settings.OUTBOUND_MODE = "direct"
    settings.QUEUE_DISPATCHER = f"{__name__}.note_wake"
    WAKES.clear()


def _kinds() -> list[tuple[str, str]]:
    return list(TraceEvent.objects.order_by("id").values_list("kind", "forward_path"))


@pytest.mark.parametrize(("mode", "route"), [("direct", "mx"), ("smarthost", "smarthost")])
def test_mail_takes_the_route_of_the_mode_and_is_due_at_once(settings, mode: str, route: str):
    settings.OUTBOUND_MODE = mode
    queue_message("Bob@Outside.EXAMPLE")
    row = row_of("Bob@Outside.EXAMPLE")
    assert (row.state, row.route, row.next_attempt_at) == ("queued", route, NOW)
    assert row.domain == "outside.example"
    assert row.message.expires_at == NOW + timedelta(days=5)
    assert _kinds() == [("queued", "Bob@Outside.EXAMPLE")]


def test_capture_lets_nothing_leave(settings):
    settings.OUTBOUND_MODE = "capture"
    queue_message(BOB)
    row = row_of(BOB)
    assert (row.state, row.route, row.next_attempt_at) == ("captured", "captured", None)
    assert _kinds() == [("captured", BOB)]
    assert claim.claim(now=NOW + timedelta(days=1)) == []


def test_what_is_to_be_captured_waits_for_its_time_first(settings):
    settings.OUTBOUND_MODE = "capture"
    later = NOW + timedelta(minutes=1)
    queue_message(BOB, not_before=later)
    row = row_of(BOB)
    assert (row.state, row.route, row.next_attempt_at) == ("queued", "captured", later)


def test_local_recipient_stored_already_is_born_delivered():
    queue_message(Recipient("bob@hamburger.test", route="local", is_delivered=True), BOB)
    row = row_of("bob@hamburger.test")
    assert (row.state, row.route, row.finished_at) == ("delivered", "local", NOW)
    assert row.next_attempt_at is None
    assert _kinds() == [("queued", BOB)]


def test_message_put_off_is_due_and_dies_by_its_own_time():
    later = NOW + timedelta(days=1)
    queue_message(Recipient("bob@hamburger.test", route="local"), BOB, not_before=later)
    assert {row.next_attempt_at for row in QueuedRecipient.objects.all()} == {later}
    message = QueuedMessage.objects.get()
    assert (message.not_before, message.expires_at) == (later, later + timedelta(days=5))


def test_message_knows_who_wrote_it():
    alice = make_alice()
    queued = queue_message(BOB, submitter_id=alice.user.pk)
    message = QueuedMessage.objects.get(pk=queued.message_id)
    assert (message.submitter_id, message.public_id) == (alice.user.pk, queued.public_id)
    assert (message.draft_id, message.sent_message_id) == (None, None)


def test_runner_is_told_once_a_transaction(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        queue_message(BOB)
        queue_message("carol@outside.example")
        assert WAKES == []
    assert WAKES == ["now"]


def test_runner_is_told_though_an_inner_part_was_rolled_back(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            queue_message(BOB)
            transaction.set_rollback(True)
        assert QueuedRecipient.objects.count() == 0
        queue_message("carol@outside.example")
    assert WAKES == ["now"]


def test_runner_is_not_told_of_what_needs_no_sending(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        queue_message(Recipient("bob@hamburger.test", route="local", is_delivered=True))
    assert WAKES == []


@pytest.mark.django_db(transaction=True)
def test_broker_that_is_away_does_no_harm(settings, caplog):
    settings.QUEUE_DISPATCHER = f"{__name__}.fail_to_wake"
    queue_message(BOB)
    assert row_of(BOB).state == "queued"
    assert "no broker" in caplog.text


def test_local_wake_is_nothing():
    wake.local()
    assert WAKES == []


def test_message_of_many_recipients_is_a_handful_of_statements(django_assert_max_num_queries):
    queue_message(BOB)  # the blob is there
    with django_assert_max_num_queries(8):
        queue_message(*(f"u{number}@outside.example" for number in range(45)))
