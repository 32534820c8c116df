"""Counters per client network."""

from __future__ import annotations

import ipaddress

import pytest

from mailcore.smtpd.clients import Clients, plain_ip
from mailcore.smtpd.limits import Limits, from_settings

LIMITS = Limits(
    connections=10,
    connections_per_client=2,
    new_per_minute=3,
    messages_per_minute=2,
    recipients_per_minute=3,
    exempt_networks=(ipaddress.ip_network("10.0.0.0/8"),),
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def clients(clock):
    return Clients(LIMITS, clock=clock)


def test_connections_of_one_address_are_limited_and_freed(clients):
    assert [clients.enter("192.0.2.1") for _ in range(3)][:2] == ["", ""]
    assert clients.enter("192.0.2.1") == "too many connections from your network"
    assert clients.enter("192.0.2.2") == ""
    clients.leave("192.0.2.1")
    assert clients.open_count == 4


def test_a_whole_ipv6_64_is_one_client(clients):
    assert clients.enter("2001:db8::1") == ""
    assert clients.enter("2001:db8::2") == ""
    assert clients.enter("2001:db8::3") != ""
    assert clients.enter("2001:db8:0:1::1") == ""


def test_new_connections_count_for_a_minute(clients, clock):
    for _ in range(3):
        assert clients.enter("192.0.2.1") == ""
        clients.leave("192.0.2.1")
    assert clients.enter("192.0.2.1") == "too many new connections from your network"
    clients.leave("192.0.2.1")
    clock.now = 60.0
    assert clients.enter("192.0.2.1") == ""


def test_last_tenth_is_kept_for_those_who_delivered(clients):
    for number in range(9):
        assert clients.enter(f"192.0.2.{number}") == ""
    assert clients.enter("192.0.2.99") == "too many connections"
    clients.leave("192.0.2.99")
    clients.remember("192.0.2.100")
    assert clients.enter("192.0.2.100") == ""


def test_messages_and_recipients_count_for_a_minute(clients, clock):
    assert [clients.may_send("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert [clients.may_address("192.0.2.1") for _ in range(4)] == [True, True, True, False]
    clock.now = 61.0
    assert clients.may_send("192.0.2.1")


def test_exempt_network_is_never_refused(clients):
    assert {clients.enter("10.1.2.3") for _ in range(30)} == {""}
    assert all(clients.may_send("10.1.2.3") for _ in range(30))


@pytest.mark.parametrize(
    ("ip", "plain"),
    [("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::1"), ("::1", "::1"), ("", "")],
)
def test_addresses_are_counted_in_one_form(ip, plain):
    assert plain_ip(ip) == plain


@pytest.mark.parametrize(("count", "seconds"), [(10, 300), (501, 60), (901, 10)])
def test_client_has_less_time_when_many_are_here(count, seconds):
    assert Limits().command_wait_s(count) == seconds


def test_settings_and_defaults_agree():
    assert from_settings() == Limits()
