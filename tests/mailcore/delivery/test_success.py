"""NOTIFY=SUCCESS on port 25: what was stored is confirmed, in the same transaction."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from mailcore.delivery import inbound
from mailcore.delivery.inbound import Incoming, Receipt
from mailcore.directory import resolve
from mailcore.dsn.parse import parse
from mailcore.models.directory import Address, Forward
from mailcore.models.message import Message
from mailcore.models.queue import QueuedRecipient
from mailcore.queue.audit import audit
from mailcore.rawmail import read
from mailcore.smtp.envelope import Envelope, ForwardPath, Peer
from mailcore.smtp.spool import Spool
from tests.support.deliveries import NOW, make_message
from tests.support.people import make_alice, make_bob, make_domain

pytestmark = pytest.mark.django_db(transaction=True)

CAROL = "carol@outside.example"


@pytest.fixture(autouse=True)
def people():
    resolve.forget()
    return make_alice(), make_bob()


def receive(*paths: ForwardPath, tmp: Path, reverse_path: str = CAROL) -> None:
    content = Spool(directory=tmp)
    content.write(make_message(message_id="a@x", subject="Lunch"))
    trace_id = uuid.uuid4()
    item = Incoming(
        envelope=Envelope(reverse_path, paths, ret="FULL", envid="QQ"),
        content=content,
        peer=Peer("192.0.2.7", 4711, "mx.outside.example", True, None, trace_id),
        trace_id=trace_id,
        received_at=NOW,
    )
    assert inbound.receive_batch([item], now=NOW) == [Receipt(trace_id.hex)]


def asking(address: str, *, orcpt: str = "") -> ForwardPath:
    return ForwardPath(address, ("SUCCESS",), orcpt)


def test_one_notice_names_those_who_were_asked_about(tmp_path):
    receive(
        asking("alice@hamburger.test", orcpt="rfc822;a@b"),
        ForwardPath("bob@hamburger.test"),
        tmp=tmp_path,
    )
    row = QueuedRecipient.objects.get()
    assert (row.forward_path, row.message.reverse_path, row.message.origin) == (CAROL, "", "dsn")
    content = read(row.message.blob)
    found = parse(content)
    assert found is not None
    assert [(e.action, e.final_recipient, e.original_recipient) for e in found] == [
        ("delivered", "alice@hamburger.test", "a@b")
    ]
    assert found[0].envelope_id == "QQ"
    assert b"\r\nHi\r\n" not in content
    assert list(audit(now=NOW)) == []


def test_two_mailboxes_behind_an_alias_are_one_recipient(tmp_path):
    team = Address.objects.create(domain=make_domain(), local_part="team", created_at=NOW)
    for target in ("alice@hamburger.test", "bob@hamburger.test"):
        Forward.objects.create(address=team, target=target)
    receive(asking("team@hamburger.test"), tmp=tmp_path)
    found = parse(read(QueuedRecipient.objects.get().message.blob))
    assert found is not None
    assert [entry.final_recipient for entry in found] == ["team@hamburger.test"]


@pytest.mark.parametrize("reverse_path", ["", "bob@hamburger.test", "gone@hamburger.test"])
def test_nobody_and_our_own_are_told_nothing(reverse_path, tmp_path):
    receive(asking("alice@hamburger.test"), tmp=tmp_path, reverse_path=reverse_path)
    assert Message.objects.count() == 1
    assert not QueuedRecipient.objects.exists()


def test_a_repeat_is_not_confirmed_again(tmp_path):
    receive(asking("alice@hamburger.test"), tmp=tmp_path)
    receive(asking("alice@hamburger.test"), tmp=tmp_path)
    assert Message.objects.count() == 1
    assert QueuedRecipient.objects.count() == 1


def test_nothing_is_said_unless_it_was_asked(tmp_path):
    receive(ForwardPath("alice@hamburger.test", ("FAILURE",)), tmp=tmp_path)
    assert not QueuedRecipient.objects.exists()
