"""Direct delivery: DNS, host, SMTP, and what the queue knows afterwards; the clock is turned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mailcore.models.queue import DeliveryAttempt, QueuedRecipient
from tests.support.clock import Clock
from tests.support.fake_mta import DROP, FakeMta
from tests.support.people import Person
from tests.support.sending import PREFIX, Outside, again, inbox, post


def _attempts(row: QueuedRecipient) -> list[tuple[str, int | None]]:
    tries = DeliveryAttempt.objects.filter(recipient=row).order_by("pk")
    return [(one.ip, one.code) for one in tries]


def test_mail_is_delivered_and_the_attempt_tells_how(mta: FakeMta, outside: Outside, clock: Clock):
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    row = again(row)
    assert (row.state, row.attempt_count, row.lease_token) == ("delivered", 1, None)
    assert row.remote_host == "mx.remote.test"
    (message,) = mta.messages
    assert message.content.startswith(PREFIX)
    assert (message.reverse_path, message.forward_paths) == (
        "alice@hamburger.test",
        ["bob@remote.test"],
    )
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.host, attempt.ip, attempt.code) == ("mx.remote.test", "127.0.0.1", 250)
    assert "RCPT TO:<bob@remote.test>" in attempt.dialogue
    assert mta.violations == []


def test_a_temporary_failure_is_retried_when_its_time_has_come(
    mta: FakeMta, outside: Outside, clock: Clock
):
    mta.reply_to_rcpt("452 4.2.2 mailbox full")
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    waiting = again(row)
    assert (waiting.state, waiting.last_reply) == ("queued", "452 4.2.2 mailbox full")
    assert waiting.next_attempt_at is not None
    pause = waiting.next_attempt_at - clock.now()
    assert timedelta(minutes=4.4) < pause < timedelta(minutes=5.6)
    clock.advance(minutes=4)
    outside.deliver(clock)
    assert again(row).attempt_count == 1
    clock.advance(minutes=2)
    outside.deliver(clock)
    assert (again(row).state, again(row).attempt_count) == ("delivered", 2)
    assert _attempts(row) == [("127.0.0.1", 452), ("127.0.0.1", 250)]


def test_each_recipient_of_a_message_has_an_outcome_of_its_own(
    mta: FakeMta, outside: Outside, clock: Clock
):
    mta.script.rcpt_of = {
        "carol@remote.test": "550 5.1.1 No such user",
        "dave@remote.test": "451 4.7.1 Greylisted",
    }
    made = post("bob@remote.test", "carol@remote.test", "dave@remote.test", now=clock.now())
    outside.deliver(clock)
    states = [(row.forward_path[:5], again(row).state, again(row).last_reply) for row in made]
    assert states == [
        ("bob@r", "delivered", "250 2.0.0 Ok: queued"),
        ("carol", "failed", "550 5.1.1 No such user"),
        ("dave@", "queued", "451 4.7.1 Greylisted"),
    ]
    assert mta.recipients == ["bob@remote.test"]


def test_a_connection_lost_before_the_final_reply_may_cost_a_second_copy_and_no_more(
    mta: FakeMta, outside: Outside, clock: Clock
):
    mta.script.dot = [DROP]
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    assert again(row).state == "queued"
    assert mta.recipients == ["bob@remote.test"]  # it had it: no other host is asked now
    clock.advance(minutes=6)
    outside.deliver(clock)
    assert again(row).state == "delivered"
    assert len(mta.messages) == 2


def test_mail_that_will_never_arrive_comes_back_at_once(
    mta: FakeMta, outside: Outside, clock: Clock, alice: Person
):
    mta.script.rcpt = "550 5.1.1 No such user"
    (row,) = post("bob@remote.test", now=clock.now(), reverse_path=alice.address)
    outside.deliver(clock)
    assert (again(row).state, again(row).dsn_outcome) == ("failed", "sent")
    (notice,) = inbox(alice)
    assert b"Final-Recipient: rfc822;bob@remote.test" in notice.replace(b"; ", b";")
    assert b"Status: 5.1.1" in notice
    assert b"No such user" in notice


def test_mail_that_waits_for_long_is_told_once_and_given_up_after_five_days(
    mta: FakeMta, outside: Outside, clock: Clock, alice: Person
):
    mta.script.mail = "451 4.3.0 Come back later"
    (row,) = post("bob@remote.test", now=clock.now(), reverse_path=alice.address)
    for _ in range(9):
        outside.deliver(clock)
        clock.advance(hours=1)
    (delayed,) = inbox(alice)
    assert b"Action: delayed" in delayed
    assert again(row).state == "queued"
    clock.advance(days=5)
    outside.deliver(clock)
    assert (again(row).state, again(row).dsn_outcome) == ("expired", "sent")
    assert [b"Action: failed" in notice for notice in inbox(alice)] == [False, True]


def test_the_null_sender_is_told_nothing(mta: FakeMta, outside: Outside, clock: Clock):
    mta.script.rcpt = "550 5.1.1 No such user"
    (row,) = post("bob@remote.test", now=clock.now(), reverse_path="", origin="dsn")
    outside.deliver(clock)
    assert (again(row).state, again(row).dsn_outcome) == ("failed", "none_null")


def test_a_domain_that_is_not_there_fails_without_a_connection(
    mta: FakeMta, outside: Outside, clock: Clock, alice: Person
):
    (row,) = post("bob@nowhere.test", now=clock.now())
    outside.deliver(clock)
    assert again(row).state == "failed"
    assert again(row).last_reply.startswith("550 5.1.2 ")
    assert (mta.connection_count, _attempts(row)) == (0, [("", 550)])


def test_a_private_address_is_not_dialled(
    mta: FakeMta, outside: Outside, clock: Clock, settings: Any
):
    settings.OUTBOUND_ALLOW_NETWORKS = ()
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    assert (again(row).state, mta.connection_count) == ("failed", 0)
    assert again(row).last_reply.startswith("550 5.4.4 ")


def test_messages_share_connections_and_a_dead_one_costs_no_try(
    mta: FakeMta, outside: Outside, clock: Clock
):
    for _ in range(30):
        post("bob@remote.test", now=clock.now())
    mta.script.max_messages = 7  # then 421, without a mark: it had taken mail
    outside.deliver(clock)
    assert QueuedRecipient.objects.exclude(state="delivered").count() == 0
    assert len(mta.messages) == 30
    assert mta.connection_count < 25, "20 at once, and one for each that had taken its seven"
    assert mta.violations == []
