"""Submission from the wire to mailboxes and queue: local and remote, Sent, DSN, capture.

RFC 6409; RFC 3461; RFC 6531. The real server with the real mail system; asked row by row.
"""

from __future__ import annotations

import pytest

from mailcore import rawmail
from mailcore.directory.aliases import create_alias
from mailcore.models.message import Message
from mailcore.models.queue import QueuedMessage, QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.smtpd.service import Service
from tests.support.deliveries import make_message
from tests.support.people import MADE_AT
from tests.support.receiving import events, stored, trace_id
from tests.support.submitting import send

REMOTE = "dora@outside.example"
RAW = make_message(message_id="m@hamburger.test", sender="alice@hamburger.test", to=REMOTE)


def mx_letter(server, *paths: str) -> bytes:
    """Send a letter of a stranger to port 25; return the reply to its final dot."""
    with server.connect() as client:
        client.ask(b"EHLO outside.example")
        return send(client, make_message(), *paths, sender=REMOTE)


def inbox(who, role="inbox") -> list[Message]:
    return list(Message.objects.filter(folder=who.folder(role)))


@pytest.mark.parametrize("service", [Service.SUBMISSION, Service.SUBMISSIONS])
def test_local_is_read_at_once_and_remote_is_queued(submission, alice, bob, service):
    reply = submission.submit(alice, RAW, bob.address, REMOTE, service=service)
    assert {row.mailbox for row in stored(reply)} == {alice.mailbox, bob.mailbox}
    [copy], [sent] = inbox(bob), inbox(alice, "sent")
    assert rawmail.read_checked(copy.content.blob).endswith(RAW)
    states = dict(QueuedRecipient.objects.values_list("forward_path", "state"))
    assert states == {bob.address: "delivered", REMOTE: "queued"}
    assert QueuedMessage.objects.get().sent_message == sent
    assert sorted(events(reply)) == sorted(
        [
            ("accepted", bob.address),
            ("accepted", REMOTE),
            ("stored", bob.address),
            ("stored", ""),
            ("queued", REMOTE),
        ]
    )


def test_received_field_says_nothing_about_the_client(submission, alice, bob):
    submission.submit(alice, RAW, bob.address, REMOTE)
    for prefix in (bytes(QueuedMessage.objects.get().prefix), bytes(inbox(bob)[0].prefix)):
        assert b"with ESMTPSA" in prefix
        assert b"TLSv1" in prefix
        assert b"127.0.0.1" not in prefix
        assert b"10.1.2.3" not in prefix


def test_captured_mail_does_not_leave(submission, alice, bob, settings):
    settings.OUTBOUND_MODE = "capture"
    reply = submission.submit(alice, RAW, bob.address, REMOTE)
    states = dict(QueuedRecipient.objects.values_list("forward_path", "state"))
    assert states == {bob.address: "delivered", REMOTE: "captured"}
    assert ("captured", REMOTE) in events(reply)


def test_dsn_parameters_reach_the_queue(submission, alice, bob):
    submission.submit(
        alice,
        RAW,
        f"<{REMOTE}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Dora+2B1@outside.example",
        parameters="RET=HDRS ENVID=QQ314159 BODY=8BITMIME AUTH=<>",
    )
    queued = QueuedMessage.objects.get()
    assert (queued.ret, queued.envid, queued.body_8bit) == ("HDRS", "QQ314159", True)
    row = queued.recipients.get()
    assert (row.notify, row.orcpt) == ("SUCCESS,DELAY", "rfc822;Dora+2B1@outside.example")


def test_blind_copy_and_lone_line_ends(submission, alice, bob):
    with submission.sign_in(alice) as client:
        client.ask(b"MAIL FROM:<alice@hamburger.test>")
        client.ask(b"RCPT TO:<bob@hamburger.test>")
        client.ask(b"RCPT TO:<dora@outside.example>")
        client.ask(b"DATA")
        client.send(b"From: alice@hamburger.test\nBcc: bob@hamburger.test\n\nHi\n.\nthere\r\n.\r\n")
        reply = client.reply()
    [copy], [sent] = inbox(bob), inbox(alice, "sent")
    content = rawmail.read(copy.content.blob)
    assert content.endswith(b"\r\nFrom: alice@hamburger.test\r\n\r\nHi\r\n.\r\nthere\r\n")
    assert content.startswith(f"Message-ID: <{trace_id(reply).hex}@mx.hamburger.test>".encode())
    assert b"Bcc" not in content
    assert bytes(sent.prefix) == b"Bcc: bob@hamburger.test\r\n"
    assert copy.content == sent.content


def test_addresses_of_all_scripts(submission, alice, bob):
    paths = ["дора@outside.example", "dora@münchen.example"]
    refused = submission.submit(alice, RAW, paths[0])
    assert refused[:9] == b"553 5.6.7"
    submission.submit(alice, RAW, *paths, parameters="SMTPUTF8")
    assert QueuedMessage.objects.get().smtputf8
    rows = dict(QueuedRecipient.objects.values_list("forward_path", "domain"))
    assert rows == {
        "дора@outside.example": "outside.example",
        "dora@xn--mnchen-3ya.example": "xn--mnchen-3ya.example",
    }


def test_unknown_recipient_of_ours_is_refused_at_once(submission, alice, bob):
    with submission.sign_in(alice) as client:
        client.ask(b"MAIL FROM:<alice@hamburger.test>")
        assert client.ask(b"RCPT TO:<nobody@hamburger.test>")[:9] == b"550 5.1.1"
        assert client.ask(b"RCPT TO:<not an address>")[:3] == b"501"
        assert client.ask(b"RCPT TO:<bob@hamburger.test>")[:9] == b"250 2.1.5"
    assert not QueuedMessage.objects.exists()


def test_alias_to_others_is_followed(submission, alice, bob):
    create_alias(address="team@hamburger.test", targets=[bob.address, REMOTE], now=MADE_AT)
    reply = submission.submit(alice, RAW, "team@hamburger.test")
    rows = QueuedRecipient.objects.order_by("pk").values_list("forward_path", "state")
    assert list(rows) == [(bob.address, "delivered"), (REMOTE, "queued")]
    assert ("expanded", "team@hamburger.test") in events(reply)


def test_several_messages_in_one_session(submission, alice, bob):
    with submission.sign_in(alice) as client:
        first = send(client, RAW, bob.address, sender=alice.address)
        second = send(client, RAW, bob.address, sender=alice.address)
    assert trace_id(first) != trace_id(second)
    assert len(inbox(bob)) == len(inbox(alice, "sent")) == 2


def test_stranger_on_port_25_may_write_from_our_domain_and_it_is_traced(submission, alice, bob):
    with submission.connect() as client:
        client.ask(b"EHLO outside.example")
        reply = send(client, RAW, bob.address, sender=alice.address)
    event = TraceEvent.objects.get(trace_id=trace_id(reply), kind="accepted")
    assert event.detail == {"sender": "ours, not signed in"}
    stranger = mx_letter(submission, bob.address)
    assert TraceEvent.objects.get(trace_id=trace_id(stranger), kind="accepted").detail is None
    assert inbox(alice, "sent") == []
    with submission.connect() as client:
        client.ask(b"EHLO outside.example")
        assert send(client, RAW, REMOTE, sender=alice.address)[:9] == b"550 5.7.1"
