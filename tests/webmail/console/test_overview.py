"""The overview warns when a network on the way hides who the clients are."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from mailcore import trace
from mailcore.trace.peers import CLIENTS_MIN, LATEST


def come(peer: str, *, times: int = CLIENTS_MIN, kind: str = "accepted") -> None:
    now = timezone.now()
    trace.record(trace.Entry(uuid.uuid4(), now, kind, peer=peer) for _ in range(times))


def overview(console) -> str:
    page: str = console.get(reverse("console:overview")).content.decode()
    return page


@pytest.mark.parametrize("gateway", ["172.31.25.1", "fd00::1"])
def test_clients_that_all_have_one_private_address_are_told_of(console, gateway):
    come(gateway)
    assert f"one private address, {gateway}" in overview(console)


@pytest.mark.parametrize(
    "peers",
    [
        ["8.8.8.8"],  # one busy client of the world
        ["127.0.0.1"],  # the embedded system
        ["172.31.25.1", "8.8.8.8"],
        ["somewhere <b>"],
    ],
)
def test_other_clients_are_no_reason_for_words(console, peers):
    for peer in peers:
        come(peer)
    assert "one private address" not in overview(console)


def test_few_clients_prove_nothing(console):
    come("172.31.25.1", times=CLIENTS_MIN - 1)
    assert "one private address" not in overview(console)


def test_one_connection_with_many_recipients_is_one_client(console):
    one, now = uuid.uuid4(), timezone.now()
    trace.record(trace.Entry(one, now, "accepted", peer="172.31.25.1") for _ in range(30))
    assert "one private address" not in overview(console)


def test_hosts_that_we_went_to_are_no_clients(console):
    come("172.31.25.1", kind="delivered")
    assert "one private address" not in overview(console)


def test_only_the_latest_events_are_looked_at(console):
    come("8.8.8.8")
    come("172.31.25.1", times=LATEST)
    assert "one private address" in overview(console)
