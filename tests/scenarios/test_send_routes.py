"""Hosts in order, hosts left alone, and mail that takes another way: smarthost, capture, later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mailcore.models.queue import DeliveryAttempt, QueuedRecipient
from mailcore.queue import control
from mailcore.queue.control import Which
from tests.support.clock import Clock
from tests.support.fake_mta import DROP, HANG, FakeMta, Then
from tests.support.sending import Outside, again, post

NOBODY = "127.0.0.9"  # an address of ours where nothing listens


def _tries(row: QueuedRecipient) -> list[tuple[str, int | None]]:
    tries = DeliveryAttempt.objects.filter(recipient=row).order_by("pk")
    return [(one.ip, one.code) for one in tries]


def _two_hosts(outside: Outside, first: str = NOBODY) -> None:
    outside.dns.zone["remote.test"] = {"MX": [(10, "a.remote.test"), (20, "b.remote.test")]}
    outside.dns.zone["a.remote.test"] = {"A": [first]}
    outside.dns.zone["b.remote.test"] = {"A": ["127.0.0.1"]}


def test_the_next_host_takes_what_the_first_one_does_not_answer(
    mta: FakeMta, outside: Outside, clock: Clock
):
    _two_hosts(outside)
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    row = again(row)
    assert (row.state, row.attempt_count, row.remote_host) == ("delivered", 1, "b.remote.test")
    assert _tries(row) == [(NOBODY, 451), ("127.0.0.1", 250)]


def test_a_host_that_refused_is_left_alone_by_the_next_message(
    mta: FakeMta, outside: Outside, clock: Clock
):
    _two_hosts(outside)
    for _ in range(2):
        (row,) = post("bob@remote.test", now=clock.now())
        outside.deliver(clock)
    assert _tries(row) == [("127.0.0.1", 250)]


def test_a_connection_that_breaks_before_the_dot_leads_to_the_next_host(
    mta: FakeMta, outside: Outside, clock: Clock
):
    _two_hosts(outside, first="127.0.0.1")
    mta.script.rcpt = [DROP]
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    row = again(row)
    assert (row.state, row.remote_host, len(mta.messages)) == ("delivered", "b.remote.test", 1)
    assert [code for _, code in _tries(row)] == [451, 250]


def test_what_is_refused_for_good_is_not_asked_of_the_next_host(
    mta: FakeMta, outside: Outside, clock: Clock
):
    _two_hosts(outside, first="127.0.0.1")
    mta.script.rcpt_of = {"carol@remote.test": "550 5.1.1 No such user"}
    mta.script.data = [DROP]
    bob, carol = post("bob@remote.test", "carol@remote.test", now=clock.now(), reverse_path="")
    outside.deliver(clock)
    assert (again(bob).state, again(carol).state) == ("delivered", "failed")
    assert [path for path in mta.said("RCPT") if "carol" in path] == ["RCPT TO:<carol@remote.test>"]


def test_a_host_that_closes_service_is_marked_and_all_its_mail_waits(
    mta: FakeMta, outside: Outside, clock: Clock
):
    mta.script.banner = Then("421 4.3.2 Too busy", DROP)
    made = [post("bob@remote.test", now=clock.now())[0] for _ in range(20)]
    outside.deliver(clock)
    assert {again(row).state for row in made} == {"queued"}
    assert {again(row).last_reply[:10] for row in made} == {"421 4.3.2 "}
    assert mta.connection_count <= 2  # those that were opened side by side


def test_a_host_that_says_nothing_costs_one_timeout_and_defers(
    mta: FakeMta, outside: Outside, clock: Clock
):
    mta.script.mail = HANG
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    assert (again(row).state, again(row).lease_token) == ("queued", None)


def test_a_smarthost_takes_everything_with_a_login(
    mta: FakeMta, outside: Outside, clock: Clock, settings: Any
):
    mta.script.login = ("us", "secret")
    settings.OUTBOUND_MODE = "smarthost"
    settings.SMARTHOST = (("127.0.0.1", mta.port),)
    settings.SMARTHOST_USER, settings.SMARTHOST_PASSWORD = "us", "secret"
    settings.SMARTHOST_TLS = "none"
    (here,), (there,) = (post(f"bob@{name}.test", now=clock.now()) for name in ("one", "two"))
    outside.deliver(clock)
    assert (again(here).state, again(there).state) == ("delivered", "delivered")
    assert {message.login for message in mta.messages} == {"us"}
    assert outside.dns.queries == []


def test_captured_mail_stays_until_it_is_released_and_then_goes_to_its_real_host(
    mta: FakeMta, outside: Outside, clock: Clock, settings: Any
):
    settings.OUTBOUND_MODE = "capture"
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    assert (again(row).state, mta.connection_count) == ("captured", 0)
    control.release_captured(which=Which(recipients=[row.public_id]), now=clock.now())
    outside.deliver(clock)
    assert (again(row).state, mta.recipients) == ("delivered", ["bob@remote.test"])


def test_what_was_put_off_is_captured_when_its_time_has_come(
    mta: FakeMta, outside: Outside, clock: Clock, settings: Any
):
    settings.OUTBOUND_MODE = "capture"
    later = clock.now() + timedelta(minutes=1)
    (row,) = post("bob@remote.test", now=clock.now(), not_before=later)
    outside.deliver(clock)
    assert again(row).state == "queued"
    clock.advance(minutes=2)
    outside.deliver(clock)
    assert (again(row).state, mta.connection_count) == ("captured", 0)


def test_what_was_put_off_leaves_with_a_date_when_its_time_has_come(
    mta: FakeMta, outside: Outside, clock: Clock
):
    later = clock.now() + timedelta(minutes=1)
    (row,) = post("bob@remote.test", now=clock.now(), not_before=later)
    outside.deliver(clock)
    assert (again(row).state, mta.connection_count) == ("queued", 0)
    clock.advance(minutes=2)
    outside.deliver(clock)
    (message,) = mta.messages
    assert again(row).state == "delivered"
    assert b"\r\nDate: Mon, 02 Mar 2026 09:02:00 +0000\r\n" in message.content
