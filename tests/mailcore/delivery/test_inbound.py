"""From the end of DATA to the store."""

from __future__ import annotations

import uuid

import pytest

from mailcore import rawmail
from mailcore.delivery import accept, capacity, inbound
from mailcore.delivery.inbound import Incoming, Receipt
from mailcore.directory import resolve
from mailcore.errors import Refused
from mailcore.models.directory import Address, Domain, Forward, Mailbox
from mailcore.models.message import Message
from mailcore.models.queue import QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.smtp.envelope import Envelope, ForwardPath, Peer, TlsInfo
from mailcore.smtp.spool import Spool
from tests.support.deliveries import NOW, make_mailbox, make_message

pytestmark = pytest.mark.django_db(transaction=True)

BOB = "bob@hamburger.test"


@pytest.fixture
def domain() -> Domain:
    resolve.forget()
    return Domain.objects.create(name="hamburger.test", created_at=NOW)


@pytest.fixture
def bob(domain) -> Mailbox:
    mailbox = make_mailbox(name="bob")
    Address.objects.create(domain=domain, local_part="bob", mailbox=mailbox, created_at=NOW)
    return mailbox


def alias(domain: Domain, local_part: str, *targets: str) -> None:
    address = Address.objects.create(domain=domain, local_part=local_part, created_at=NOW)
    for target in targets:
        Forward.objects.create(address=address, target=target)


def incoming(
    raw: bytes, *recipients: str, reverse_path: str = "carol@outside.example", tmp
) -> Incoming:
    content = Spool(directory=tmp)
    content.write(raw)
    trace_id = uuid.uuid4()
    return Incoming(
        envelope=Envelope(reverse_path, tuple(ForwardPath(path) for path in recipients)),
        content=content,
        peer=Peer(
            "192.0.2.7", 4711, "mx.outside.example", True, TlsInfo("TLSv1.3", "AES"), trace_id
        ),
        trace_id=trace_id,
        received_at=NOW,
    )


def receive(item: Incoming):
    [outcome] = inbound.receive_batch([item], now=NOW)
    return outcome


def test_a_message_is_stored_with_our_trace_fields_before_it(bob, tmp_path):
    raw = make_message(message_id="a@x")
    item = incoming(raw, BOB, tmp=tmp_path)
    assert receive(item) == Receipt(item.trace_id.hex)
    prefix = bytes(Message.objects.get().prefix).decode()
    lines = prefix.split("\r\n")
    assert lines[0] == "Return-Path: <carol@outside.example>"
    assert lines[1] == "Delivered-To: bob@hamburger.test"
    assert "from mx.outside.example ([192.0.2.7])" in prefix
    assert "with ESMTPS" in prefix
    assert f"id {item.trace_id.hex}" in prefix
    assert "for <bob@hamburger.test>" in prefix


def test_every_accepted_path_is_traced_to_where_it_was_stored(bob, tmp_path):
    item = incoming(make_message(message_id="a@x"), BOB, "bob+x@hamburger.test", tmp=tmp_path)
    receive(item)
    events = TraceEvent.objects.filter(trace_id=item.trace_id)
    kinds = list(events.order_by("pk").values_list("kind", "forward_path"))
    assert kinds == [
        ("accepted", BOB),
        ("accepted", "bob+x@hamburger.test"),
        ("stored", BOB),
        ("duplicate", "bob+x@hamburger.test"),
    ]


def test_a_forward_becomes_a_queue_row_in_the_same_transaction(bob, domain, tmp_path):
    alias(domain, "team", BOB, "far@elsewhere.example")
    item = incoming(make_message(message_id="a@x"), "team@hamburger.test", tmp=tmp_path)
    receive(item)
    recipient = QueuedRecipient.objects.get()
    assert recipient.forward_path == "far@elsewhere.example"
    assert recipient.original_forward_path == "team@hamburger.test"
    assert recipient.domain == "elsewhere.example"
    assert recipient.message.reverse_path == "carol@outside.example"
    assert recipient.message.trace_id == item.trace_id
    assert Message.objects.get().content.blob_id == recipient.message.blob_id
    expanded = TraceEvent.objects.get(kind="expanded")
    assert expanded.detail == {"into": [BOB, "far@elsewhere.example"]}


def test_a_forward_is_captured_where_nothing_may_leave(settings, domain, tmp_path):
    settings.OUTBOUND_MODE = "capture"
    alias(domain, "team", "far@elsewhere.example")
    receive(incoming(make_message(message_id="a@x"), "team@hamburger.test", tmp=tmp_path))
    recipient = QueuedRecipient.objects.get()
    assert (recipient.state, recipient.next_attempt_at) == ("captured", None)


def test_a_forward_keeps_the_null_reverse_path(bob, domain, tmp_path):
    alias(domain, "away", "far@elsewhere.example")
    receive(incoming(make_message(), "away@hamburger.test", reverse_path="", tmp=tmp_path))
    assert QueuedRecipient.objects.get().message.reverse_path == ""


def test_a_repeated_forward_is_queued_once(domain, tmp_path):
    alias(domain, "away", "far@elsewhere.example")
    for _ in range(2):
        raw = make_message(message_id="a@x")
        assert isinstance(receive(incoming(raw, "away@hamburger.test", tmp=tmp_path)), Receipt)
    assert QueuedRecipient.objects.count() == 1


def test_too_many_received_fields_are_a_loop(bob, tmp_path):
    raw = make_message(headers=["Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000"] * 51)
    outcome = receive(incoming(raw, BOB, tmp=tmp_path))
    assert isinstance(outcome, Refused)
    assert str(outcome.reply).startswith("554 5.4.6")


def test_a_forward_that_comes_back_is_a_loop(domain, tmp_path):
    alias(domain, "away", "far@elsewhere.example")
    raw = make_message(headers=["Delivered-To: away@hamburger.test"])
    outcome = receive(incoming(raw, "away@hamburger.test", tmp=tmp_path))
    assert isinstance(outcome, Refused)
    assert outcome.reply.code == 554


def test_a_recipient_that_vanished_refuses_the_whole_message(bob, tmp_path):
    outcome = receive(incoming(make_message(), BOB, "gone@hamburger.test", tmp=tmp_path))
    assert isinstance(outcome, Refused)
    assert outcome.reply.code == 550
    assert not Message.objects.exists()


def test_a_large_message_goes_through_a_file_byte_for_byte(bob, tmp_path):
    raw = make_message(body="x" * 3_000_000)
    item = incoming(raw, BOB, tmp=tmp_path)
    receive(item)
    item.content.close()
    message = Message.objects.get()
    assert message.content.blob.data is None
    assert rawmail.read(message.content.blob) == raw
    assert message.size == len(bytes(message.prefix)) + len(raw)


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("nobody@hamburger.test", "550 5.1.1"),
        ("x@elsewhere.example", "550 5.7.1"),
        ("not an address", "501 5.1.3"),
        ("bób@hamburger.test", "553 5.6.7"),
    ],
)
def test_refusals_at_rcpt_have_the_right_codes(bob, path, reply):
    with pytest.raises(Refused) as refused:
        accept.check_recipient(forward_path=path, declared_size=None, smtputf8=False)
    assert str(refused.value.reply).startswith(reply)


@pytest.mark.parametrize(
    ("used", "declared", "reply"),
    [
        (1000, None, "452 4.2.2"),
        (900, 150, "452 4.2.2"),
        (1101, None, "552 5.2.2"),
        (0, 1001, "552 5.2.2"),
    ],
)
def test_the_quota_is_asked_at_rcpt(bob, used, declared, reply):
    Mailbox.objects.update(quota_bytes=1000, used_bytes=used)
    with pytest.raises(Refused) as refused:
        accept.check_recipient(forward_path=BOB, declared_size=declared, smtputf8=False)
    assert str(refused.value.reply).startswith(reply)


def test_a_declared_size_above_the_limit_is_refused_at_mail(settings):
    settings.MESSAGE_SIZE_LIMIT = 1000
    with pytest.raises(Refused) as refused:
        accept.check_sender(reverse_path="a@x.example", declared_size=1001, smtputf8=False)
    assert str(refused.value.reply).startswith("552 5.3.4")


def test_a_full_disk_is_a_fault_for_now(settings):
    settings.DISK_FREE_MIN = 2**60
    capacity._looked.clear()
    with pytest.raises(Refused) as refused:
        accept.check_sender(reverse_path="a@x.example", declared_size=None, smtputf8=False)
    capacity._looked.clear()
    assert str(refused.value.reply).startswith("452 4.3.1")
