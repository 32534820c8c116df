"""Sessions that break off, repeat, run ahead or turn to TLS (RFC 1047, 2920, 3207).

A client that did not read our 250 sends the message again: it must be told 250 and stored once.
"""

from __future__ import annotations

import pytest

from mailcore.models.blob import Blob
from mailcore.models.message import Message
from mailcore.models.trace import TraceEvent
from mailcore.store import verify
from tests.support.deliveries import make_message
from tests.support.receiving import (
    GatedBackend,
    events,
    mail_from,
    octets,
    open_data,
    send,
    stored,
    stuffed,
    trace_id,
    wait_until,
)

RAW = make_message(message_id="letter@outside.example")
RCPT = b"RCPT TO:<bob@hamburger.test>"
STAGES = {
    "before hello": b"",
    "after hello": b"EHLO x\r\n",
    "after MAIL": b"EHLO x\r\n" + mail_from() + b"\r\n",
    "after RCPT": b"EHLO x\r\n" + mail_from() + b"\r\n" + RCPT + b"\r\n",
    "after DATA": b"EHLO x\r\n" + mail_from() + b"\r\n" + RCPT + b"\r\nDATA\r\n",
    "in the header": b"EHLO x\r\n" + mail_from() + b"\r\n" + RCPT + b"\r\nDATA\r\n" + RAW[:20],
    "in the body": b"EHLO x\r\n" + mail_from() + b"\r\n" + RCPT + b"\r\nDATA\r\n" + RAW,
    "in a large body": b"EHLO x\r\n"
    + mail_from()
    + b"\r\n"
    + RCPT
    + b"\r\nDATA\r\n"
    + RAW * 20_000,
    "before the last LF": b"EHLO x\r\n"
    + mail_from()
    + b"\r\n"
    + RCPT
    + b"\r\nDATA\r\n"
    + stuffed(RAW)[:-1],
}


def test_client_that_goes_before_the_dot_leaves_nothing(mx, bob):
    for octets_sent in STAGES.values():
        client = mx.connect()
        client.send(octets_sent)
        client.close()
    wait_until(lambda: not mx.server.context.sessions)
    assert not Message.objects.exists()
    assert not Blob.objects.exists()
    assert list((mx.server.context.spool_dir).glob("*")) == []
    assert len(stored(mx.deliver(RAW))) == 1


def test_client_that_goes_before_reading_the_250_is_stored_once(start_mx, bob):
    backend = GatedBackend()
    mx = start_mx(backend=backend)
    client = mx.greet()
    open_data(client)
    client.send(stuffed(RAW))
    wait_until(lambda: backend.batches)
    client.close()
    backend.gate.set()
    wait_until(Message.objects.exists)
    first = Message.objects.get()

    repeat = mx.deliver(RAW)
    assert trace_id(repeat) != first.trace_id
    assert stored(repeat) == []
    told = [("connected", ""), ("accepted", bob.address), ("duplicate", bob.address)]
    assert events(repeat) == told
    duplicate = TraceEvent.objects.get(kind="duplicate")
    assert duplicate.detail == {"first": str(first.trace_id)}
    assert Message.objects.get() == first
    assert verify.verify() == []


def test_repeat_to_one_recipient_more_reaches_only_the_new_one(mx, alice, bob):
    mx.deliver(RAW, bob.address)
    assert [row.mailbox for row in stored(mx.deliver(RAW, bob.address, alice.address))] == [
        alice.mailbox
    ]


def test_another_sender_or_other_octets_are_no_repeat(mx, bob):
    first = mx.deliver(RAW)
    other_sender = mx.deliver(RAW, sender="dave@outside.example")
    other_octets = mx.deliver(RAW + b"PS\r\n")
    assert [len(stored(reply)) for reply in (first, other_sender, other_octets)] == [1, 1, 1]


def test_message_without_message_id_is_never_a_repeat(mx, bob):
    raw = make_message()
    assert [len(stored(mx.deliver(raw))) for _ in range(2)] == [1, 1]
    assert Blob.objects.count() == 1


def test_messages_pipelined_behind_the_dot_are_all_taken(mx, bob):
    raws = [make_message(message_id=f"{n}@x", body="." * n) for n in range(5)]
    commands = mail_from() + b"\r\n" + RCPT + b"\r\nDATA\r\n"
    with mx.connect() as client:
        client.send(
            b"EHLO client.test\r\n"
            + b"".join(commands + stuffed(raw) for raw in raws)
            + b"QUIT\r\n"
        )
        assert client.reply()[:3] == b"250"
        answers = [[client.reply() for _ in range(4)] for _ in raws]
        assert client.rest() == b"221 2.0.0 Bye\r\n"
    assert [[answer[:3] for answer in four] for four in answers] == [
        [b"250", b"250", b"354", b"250"]
    ] * len(raws)
    assert [octets(stored(four[3])[0]) for four in answers] == raws
    assert list(Message.objects.order_by("uid").values_list("uid", flat=True)) == [1, 2, 3, 4, 5]


def test_client_that_closes_its_side_behind_the_dot_still_hears_the_250(mx, bob):
    with mx.greet() as client:
        open_data(client)
        client.send(stuffed(RAW))
        client.socket.shutdown(1)
        assert len(stored(client.reply())) == 1


@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_message_that_comes_in_pieces_is_whole(mx, bob, chunk):
    raw = make_message(body="\r\n".join([".", "..", "x" * 50, "."] * 3))
    with mx.greet() as client:
        open_data(client)
        for start in range(0, len(stuffed(raw)), chunk):
            client.send(stuffed(raw)[start : start + chunk])
        assert octets(stored(client.reply())[0]) == raw


def test_message_under_tls_says_so_in_received(mx, bob):
    with mx.greet() as client:
        assert client.ask(b"STARTTLS")[:9] == b"220 2.0.0"
        client.start_tls()
        assert client.ask(mail_from())[:9] == b"503 5.5.1"
        assert client.ask(b"EHLO client.test")[:3] == b"250"
        reply = send(client, RAW)
    [row] = stored(reply)
    received = bytes(row.prefix).decode().replace("\r\n\t", " ")
    assert "(TLSv1.3 cipher TLS_" in received
    assert f"with ESMTPS id {trace_id(reply).hex}" in received


def test_commands_injected_before_tls_are_forgotten(mx, bob):
    injected = mail_from("mallory@evil.test") + b"\r\n" + RCPT + b"\r\n"
    with mx.greet() as client:
        client.send(b"STARTTLS\r\n" + injected)
        assert client.reply()[:9] == b"220 2.0.0"
        client.start_tls()
        assert client.ask(b"EHLO client.test")[:3] == b"250"
        [row] = stored(send(client, RAW))
    assert bytes(row.prefix).startswith(b"Return-Path: <carol@outside.example>\r\n")
    assert Message.objects.count() == 1
