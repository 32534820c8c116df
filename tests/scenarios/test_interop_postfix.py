"""Postfix as the other side: it takes mail from us and sends mail to us, as it is installed.

TLS, PIPELINING, SIZE, SMTPUTF8 and DSN are negotiated by two programs that know nothing of each
other; what arrives is compared octet by octet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from mailcore.directory.aliases import create_alias
from mailcore.models.message import Message
from mailcore.models.queue import DeliveryAttempt, QueuedRecipient
from tests.support import postfix
from tests.support.clock import Clock
from tests.support.deliveries import make_message
from tests.support.people import MADE_AT, Person
from tests.support.postfix import Postfix
from tests.support.receiving import Mx, octets, wait_until
from tests.support.sending import Outside, again, one_host, post

pytestmark = pytest.mark.skipif(bool(postfix.missing()), reason=postfix.missing())

HOSTILE_BODY = "\r\n".join(
    ["", ".", "..", ".x", "From here", "Grüße ✓", "x" * 990, " trailing \t", "", "", "."]
)


@pytest.fixture
def peer(mx: Mx, settings: Any) -> Iterator[Postfix]:
    """A Postfix that hamburger.test and postfix.test know each other through."""
    with Postfix(people=["carol", "dave", "søren"], peer_port=mx.port) as running:
        settings.OUTBOUND_MODE = "direct"
        settings.OUTBOUND_PORT = running.port
        settings.OUTBOUND_ALLOW_NETWORKS = (ip_network("127.0.0.0/8"),)
        yield running


@pytest.fixture
def outside(peer: Postfix) -> Iterator[Outside]:
    with Outside(one_host(postfix.DOMAIN)) as world:
        yield world


def _letter(**parts: Any) -> bytes:
    return make_message(message_id="letter@hamburger.test", **parts)


def _body(message: bytes) -> bytes:
    return message.replace(b"\r\n", b"\n").partition(b"\n\n")[2]


def _inbox(person: Person) -> list[bytes]:
    rows = Message.objects.filter(mailbox=person.mailbox, folder=person.folder())
    return [octets(row) for row in rows.select_related("content__blob").order_by("pk")]


def _state(row: QueuedRecipient) -> tuple[str, str]:
    row = again(row)
    return row.state, row.last_reply[:9]


class TestToPostfix:
    def test_it_takes_a_message_over_tls_octet_for_octet(
        self, peer: Postfix, outside: Outside, clock: Clock
    ):
        raw = _letter(body=HOSTILE_BODY)
        (row,) = post("carol@postfix.test", now=clock.now(), raw=raw, body_8bit=True)
        outside.deliver(clock)
        assert _state(row) == ("delivered", "250 2.0.0")
        (message,) = peer.wait_for("carol")
        assert _body(message) == _body(raw)
        assert b"(using TLSv1.3" in message
        attempt = DeliveryAttempt.objects.get()
        assert attempt.tls.startswith("TLSv1.3 ")
        said = attempt.dialogue
        assert said.index("C: DATA") < said.index("S: 250 2.1.0"), "the envelope in one write"

    def test_one_recipient_is_unknown_and_the_others_have_it(
        self, peer: Postfix, outside: Outside, alice: Person, clock: Clock
    ):
        people = ("carol@postfix.test", "dave@postfix.test", "nobody@postfix.test")
        rows = post(*people, now=clock.now())
        outside.deliver(clock)
        assert [_state(row) for row in rows] == [
            ("delivered", "250 2.0.0"),
            ("delivered", "250 2.0.0"),
            ("failed", "550 5.1.1"),
        ]
        assert len(peer.wait_for("carol")) == len(peer.wait_for("dave")) == 1
        (notice,) = _inbox(alice)
        assert b"Final-Recipient: rfc822; nobody@postfix.test" in notice
        assert again(rows[2]).dsn_outcome == "sent"

    def test_a_message_over_its_size_limit_is_refused_unsent(
        self, peer: Postfix, outside: Outside, alice: Person, clock: Clock
    ):
        raw = _letter(body="x" * 70 + "\r\n" * postfix.SIZE_LIMIT)
        (row,) = post("carol@postfix.test", now=clock.now(), raw=raw)
        outside.deliver(clock)
        assert again(row).state == "failed"
        assert "5.3.4" in again(row).last_reply
        assert peer.mailbox("carol") == []

    def test_it_reports_success_where_we_were_asked_for_it(
        self, peer: Postfix, outside: Outside, alice: Person, clock: Clock
    ):
        (row,) = post(
            "carol@postfix.test", now=clock.now(), notify="SUCCESS", envid="QQ314", ret="HDRS"
        )
        outside.deliver(clock)
        assert _state(row) == ("delivered", "250 2.0.0")
        wait_until(lambda: _inbox(alice), seconds=30)
        (notice,) = _inbox(alice)
        assert b"From: Mail Delivery System <MAILER-DAEMON@mx.postfix.test>" in notice
        assert b"Original-Envelope-Id: QQ314" in notice
        assert b"Action: delivered" in notice

    def test_a_name_with_other_letters_needs_smtputf8(
        self, peer: Postfix, outside: Outside, clock: Clock
    ):
        (row,) = post("søren@postfix.test", now=clock.now(), smtputf8=True)
        outside.deliver(clock)
        assert _state(row) == ("delivered", "250 2.0.0")
        assert len(peer.wait_for("søren")) == 1

    def test_many_messages_share_connections(self, peer: Postfix, outside: Outside, clock: Clock):
        rows = [post("carol@postfix.test", now=clock.now())[0] for _ in range(40)]
        before = peer.log.count(": connect from")
        outside.deliver(clock)
        assert {_state(row) for row in rows} == {("delivered", "250 2.0.0")}
        assert len(peer.wait_for("carol", 40)) == 40
        assert peer.log.count(": connect from") - before <= 20


class TestFromPostfix:
    def test_it_sends_over_tls_octet_for_octet(self, peer: Postfix, alice: Person, bob: Person):
        raw = _letter(body=HOSTILE_BODY)
        peer.send(raw, alice.address, bob.address, mail_options=["BODY=8BITMIME"])
        wait_until(lambda: _inbox(alice) and _inbox(bob), seconds=30)
        (message,) = _inbox(alice)
        assert _body(message) == _body(raw)
        assert _inbox(bob) == [message]
        assert "TLS connection established to 127.0.0.1[127.0.0.1]" in peer.log

    def test_it_bounces_what_we_refuse(self, peer: Postfix, bob: Person):
        peer.send(_letter(), bob.address, "nobody@hamburger.test")
        (notice,) = peer.wait_for("carol")
        assert b"Final-Recipient: rfc822; nobody@hamburger.test" in notice
        assert b"Status: 5.1.1" in notice
        assert len(_inbox(bob)) == 1

    def test_its_sender_has_one_report_of_success(
        self, peer: Postfix, outside: Outside, bob: Person
    ):
        peer.send(_letter(), bob.address, rcpt_options=["NOTIFY=SUCCESS"])
        wait_until(lambda: _inbox(bob), seconds=30)
        outside.deliver(Clock(datetime.now(UTC) + timedelta(minutes=1)))
        (notice,) = peer.wait_for("carol")
        assert re.search(rb"^Action: (delivered|relayed)$", notice, re.MULTILINE)

    def test_an_alias_leads_back_to_it(self, peer: Postfix, outside: Outside, bob: Person):
        create_alias(
            address="team@hamburger.test",
            targets=[bob.address, "dave@postfix.test"],
            now=MADE_AT,
        )
        peer.send(_letter(), "team@hamburger.test")
        wait_until(lambda: _inbox(bob), seconds=30)
        outside.deliver(Clock(datetime.now(UTC) + timedelta(minutes=1)))
        (message,) = peer.wait_for("dave")
        assert b"Return-Path: <carol@postfix.test>" in message
