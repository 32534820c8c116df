"""Messages made to hurt and clients that only hold on, against the whole way in (G10, G11)."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import replace

import pytest

from mailcore.models.blob import Content
from mailcore.models.message import Message
from mailcore.store import verify
from tests.support.deliveries import make_message
from tests.support.hostile_messages import hostile_messages
from tests.support.mail_builders import derive_all
from tests.support.receiving import LIMITS, Mx, octets, send, stored, stuffed
from tests.support.smtp_dialogue import Client

REFUSAL = re.compile(rb"[45]\d\d [45]\.\d{1,3}\.\d{1,3} [\x20-\x7e]+\r\n")
HOLDERS = 200


@pytest.mark.slow
def test_hostile_messages_are_stored_or_refused_and_all_become_readable(mx, bob):
    """Bare CR and LF are refused on the wire; what is taken is derived and proves clean."""
    refused, different = [], []
    for case in hostile_messages():
        raw = case.data if case.data.endswith(b"\r\n") else case.data + b"\r\n"
        reply = mx.deliver(raw)
        if reply[:3] != b"250":
            refused.append((case.name, reply))
        elif any(octets(row) != raw for row in stored(reply)):
            different.append(case.name)
    assert [case for case in refused if not REFUSAL.fullmatch(case[1])] == []
    codes = {reply[:10].strip() for _, reply in refused}
    assert codes == {b"550 5.6.11", b"552 5.3.4", b"554 5.4.6"}  # bare, header too large, loop
    assert different == []
    assert Message.objects.count() == len(hostile_messages()) - len(refused) > 150
    derive_all()
    states = set(Content.objects.values_list("parse_state", flat=True))
    assert states <= {"ready", "unreadable"}
    assert not Content.objects.filter(parsed_at__isnull=True).exists()
    assert verify.verify() == []


@pytest.mark.parametrize("stage", ["greeted", "in DATA"])
def test_honest_client_is_served_while_one_address_holds_all_it_can(start_mx, bob, stage):
    mx = start_mx(limits=replace(LIMITS, connections_per_client=20, new_per_minute=HOLDERS))
    holders = [mx.dial() for _ in range(HOLDERS)]
    greetings = [holder.reply()[:9] for holder in holders]
    assert greetings.count(b"421 4.3.2") == HOLDERS - 20
    if stage == "in DATA":
        for holder in holders[:20]:
            holder.envelope()
            holder.send(b"Subject: no end\r\n")
    assert seconds_to_deliver_from(mx, "127.0.0.2") < 2
    for holder in holders:
        holder.close()


def test_honest_client_is_served_while_many_are_held_open(start_mx, bob):
    mx = start_mx(limits=replace(LIMITS, connections=1000, connections_per_client=HOLDERS))
    holders = [mx.greet() for _ in range(HOLDERS)]
    assert seconds_to_deliver_from(mx, "127.0.0.2") < 2
    assert len(stored(send(holders[-1], make_message(message_id="held@x")))) == 1


def seconds_to_deliver_from(mx: Mx, address: str) -> float:
    begun = time.monotonic()
    connection = socket.create_connection((mx.host, mx.port), 20, source_address=(address, 0))
    with Client(connection) as client:
        client.reply()
        client.envelope()
        client.send(stuffed(make_message(message_id="honest@outside.example")))
        [row] = stored(client.reply())
    assert f"([{address}])".encode() in bytes(row.prefix)
    return time.monotonic() - begun
