"""Who is told what about a message: RFC 3461 at the end of each recipient."""

from __future__ import annotations

import email
import shutil
from datetime import timedelta
from email import policy

import pytest
from django.conf import settings as django_settings
from django.db import transaction

from mailcore import conf, trace
from mailcore.delivery import bounce
from mailcore.directory import resolve
from mailcore.dsn.parse import ParsedRecipient, parse
from mailcore.mime.body import decode_text
from mailcore.mime.structure import parse_structure
from mailcore.models.blob import Blob
from mailcore.models.directory import Address, Forward, Mailbox
from mailcore.models.message import Message
from mailcore.models.queue import QueuedMessage, QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.queue import claim, control
from mailcore.queue.audit import audit
from mailcore.queue.control import Which
from mailcore.queue.enqueue import Recipient
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Failed
from mailcore.store.deliver import deliver_batch
from tests.support.bounces import (
    LATER,
    NO_USER,
    OK,
    RAW,
    end,
    hours,
    letters,
    outcomes,
    queue,
)
from tests.support.deliveries import NOW, make_delivery, make_message
from tests.support.people import Person, make_alice, make_bob, make_domain
from tests.support.sources import ROOT
from webmail.assets.catalogues import compile_catalogues

pytestmark = pytest.mark.django_db

BOB = Recipient("bob@x.example")
STRANGER = "carol@outside.example"


@pytest.fixture(scope="module", autouse=True)
def catalogues():
    """Compile the real catalogues to where the settings look for them."""
    compile_catalogues(source=ROOT / "locale", target=django_settings.LOCALE_DIR)


@pytest.fixture(autouse=True)
def direct(settings):
    """Let mail leave, so that it can be claimed."""
    settings.OUTBOUND_MODE = "direct"


@pytest.fixture
def alice() -> Person:
    resolve.forget()
    return make_alice()


def text_of(letter: bytes) -> str:
    part = parse_structure(letter).part("1")
    assert part is not None
    return decode_text(letter, part).text


def said(letter: bytes) -> tuple[ParsedRecipient, ...]:
    found = parse(letter)
    assert found is not None
    return found


def test_a_failure_is_in_the_senders_mailbox_when_the_transaction_ends(alice):
    queue(BOB)
    end(NO_USER)
    assert outcomes() == [("failed", "sent")]
    [letter] = letters(alice.mailbox)
    header = email.message_from_bytes(letter, policy=policy.compat32)
    assert letter.startswith(b"Return-Path: <>\r\nDelivered-To: alice@hamburger.test\r\n")
    assert header["From"] == "Mail delivery <postmaster@hamburger.test>"
    assert header["To"] == "<alice@hamburger.test>"
    assert header["Subject"] == "Not delivered: Lunch"
    assert header["Auto-Submitted"] == "auto-replied"
    assert header["In-Reply-To"].strip() == "<lunch@hamburger.test>"
    assert header["Date"] == "Sat, 21 Nov 2026 12:00:00 +0000"
    [entry] = said(letter)
    assert (entry.action, entry.status) == ("failed", "5.1.1")
    assert entry.final_recipient == "bob@x.example"
    assert entry.diagnostic == "550 5.1.1 No such user"
    assert entry.remote_host == "mx.x.example"
    assert entry.message_id == "lunch@hamburger.test"


def test_the_trace_tells_the_end_before_the_notice_of_it(alice):
    trace_id = queue(BOB)
    end(NO_USER)
    assert [one.kind for one in trace.of_trace(trace_id)][-2:] == ["failed", "notified"]
    trace_id = queue(BOB)
    message = QueuedMessage.objects.get(trace_id=trace_id)
    control.expire(which=Which(message=message.public_id), now=hours(1), report=bounce.report)
    assert [one.kind for one in trace.of_trace(trace_id)][-2:] == ["expired", "notified"]


def test_the_text_says_what_happened_and_what_to_do(alice):
    queue(BOB)
    end(NO_USER)
    text = text_of(letters(alice.mailbox)[0])
    assert "could not be delivered to the address below" in text
    assert "<bob@x.example>\r\n    That address does not exist there." in text
    assert "Look for a typing error in the address" in text
    assert "Details (mx.x.example): 550 5.1.1 No such user" in text
    assert "Your message: Lunch" in text


def test_the_text_is_in_the_senders_language(alice):
    alice.user.locale, alice.user.timezone = "es", "Europe/Madrid"
    alice.user.save()
    queue(BOB, submitter_id=alice.user.pk)
    end(NO_USER)
    [letter] = letters(alice.mailbox)
    text = text_of(letter)
    assert "Tu mensaje no se ha podido entregar" in text
    assert "Esa dirección no existe allí." in text
    assert "21 de noviembre de 2026 a las 13:00 CET" in text
    assert b"Content-Language: es\r\n" in letter


def test_the_notice_joins_the_conversation_of_the_message(alice):
    deliver_batch([make_delivery(RAW, alice.mailbox, keyed=False, role="sent")], now=NOW)
    queue(BOB)
    end(NO_USER)
    assert Message.objects.count() == 2
    assert Message.objects.values("thread").distinct().count() == 1


def test_one_notice_for_recipients_that_end_together_and_one_per_kind(alice):
    recipients = [Recipient(f"r{n}@x.example", notify="SUCCESS,FAILURE") for n in range(4)]
    queue(*recipients)
    end(NO_USER, OK, NO_USER, OK)
    failed, relayed = letters(alice.mailbox)
    assert [(e.final_recipient, e.action) for e in said(failed)] == [
        ("r0@x.example", "failed"),
        ("r2@x.example", "failed"),
    ]
    assert [e.action for e in said(relayed)] == ["relayed", "relayed"]
    assert outcomes() == [
        ("failed", "sent"),
        ("delivered", "sent"),
        ("failed", "sent"),
        ("delivered", "sent"),
    ]


def test_two_messages_are_two_notices(alice):
    queue(BOB)
    queue(BOB, raw=make_message(message_id="other@x", subject="Dinner"))
    end(NO_USER, NO_USER)
    assert len(letters(alice.mailbox)) == 2


@pytest.mark.parametrize(
    ("reverse_path", "notify", "outcome"),
    [
        ("", "", "none_null"),
        ("", "NEVER", "none_null"),
        ("alice@hamburger.test", "NEVER", "none_notify"),
        ("alice@hamburger.test", "SUCCESS,DELAY", "none_notify"),
        ("gone@hamburger.test", "", "none_null"),
        ("no address", "", "none_null"),
    ],
)
def test_a_failure_that_nobody_is_told_has_its_reason(alice, reverse_path, notify, outcome):
    queue(Recipient("bob@x.example", notify=notify), reverse_path=reverse_path)
    end(NO_USER)
    assert outcomes() == [("failed", outcome)]
    assert not letters(alice.mailbox)
    assert QueuedMessage.objects.count() == 1


def test_a_success_is_told_only_where_it_was_asked_for_and_the_peer_does_not(alice):
    queue(BOB)
    end(OK)
    asked = Recipient("bob@x.example", notify="SUCCESS")
    queue(asked)
    end(OK, relayed_dsn=True)
    assert outcomes() == [("delivered", ""), ("delivered", "")]
    queue(asked, ret="FULL")
    end(OK)
    [letter] = letters(alice.mailbox)
    assert said(letter)[0].action == "relayed"
    assert b"At noon?" not in letter


def test_a_local_success_is_a_delivery(alice):
    queue(Recipient("bob@hamburger.test", notify="SUCCESS", route="local"))
    end(OK)
    assert said(letters(alice.mailbox)[0])[0].action == "delivered"


def test_a_delay_is_told_once_and_says_until_when(alice):
    queue(BOB)
    end(LATER, at=NOW)
    assert not letters(alice.mailbox)
    end(LATER, at=hours(5))
    end(LATER, at=hours(10))
    [letter] = letters(alice.mailbox)
    assert said(letter)[0].action == "delayed"
    assert said(letter)[0].status == "4.4.1"
    assert b"Will-Retry-Until: Thu, 26 Nov 2026 12:00:00 +0000" in letter
    assert "we keep trying until Nov. 26, 2026, noon UTC" in text_of(letter)
    assert outcomes() == [("queued", "")]


def test_an_expired_message_is_told_with_the_last_answer(alice):
    queue(BOB)
    end(LATER, at=hours(121))
    assert outcomes() == [("expired", "sent")]
    [letter] = letters(alice.mailbox)
    assert (said(letter)[0].action, said(letter)[0].status) == ("failed", "4.4.7")
    assert said(letter)[0].diagnostic == "451 4.4.1 No answer"
    assert "We have tried until the time for it was over." in text_of(letter)


@pytest.mark.parametrize(("notify", "count"), [("", 0), ("FAILURE", 0), ("DELAY", 1)])
def test_a_stranger_is_told_of_a_delay_only_on_request(alice, notify, count):
    queue(
        Recipient("bob@x.example", notify=notify, original="team@hamburger.test"),
        reverse_path=STRANGER,
        origin="forward",
    )
    end(LATER, at=hours(5))
    assert QueuedMessage.objects.filter(origin="dsn").count() == count


def test_a_remote_sender_gets_it_through_the_queue_under_the_null_path(alice):
    original = Recipient("bob@x.example", original="team@hamburger.test")
    trace_id = queue(original, reverse_path=STRANGER, origin="forward")
    end(NO_USER)
    row = QueuedRecipient.objects.get(message__origin="dsn")
    assert (row.forward_path, row.domain, row.notify) == (STRANGER, "outside.example", "NEVER")
    assert (row.message.reverse_path, row.message.size) == ("", row.message.blob.size)
    assert row.message.expires_at == NOW + timedelta(days=2)
    assert row.message.trace_id != trace_id
    [batch] = claim.claim(now=NOW)
    assert batch.origin == "dsn"
    notified = TraceEvent.objects.get(kind="notified")
    assert notified.detail is not None
    assert (notified.trace_id, notified.forward_path) == (trace_id, "bob@x.example")
    assert notified.detail["notice"] == row.message.trace_id.hex


def test_a_notice_that_fails_is_the_end_of_it(alice):
    queue(BOB, reverse_path=STRANGER, origin="forward")
    end(NO_USER)
    end(NO_USER)
    assert QueuedMessage.objects.count() == 2
    assert QueuedRecipient.objects.get(message__origin="dsn").dsn_outcome == "none_null"


def test_an_alias_passes_the_notice_on(alice):
    make_bob()
    address = Address.objects.create(domain=make_domain(), local_part="team", created_at=NOW)
    for target in ("alice@hamburger.test", STRANGER):
        Forward.objects.create(address=address, target=target)
    queue(BOB, reverse_path="team@hamburger.test")
    end(NO_USER)
    assert outcomes() == [("failed", "sent")]
    assert len(letters(alice.mailbox)) == 1
    assert QueuedRecipient.objects.get(message__origin="dsn").forward_path == STRANGER
    rows = [breach for breach in audit(now=NOW) if breach.check != "not accepted"]
    assert rows == []


def test_the_books_balance_over_notices(alice):
    queue(BOB)
    queue(BOB, reverse_path=STRANGER, origin="forward")
    end(NO_USER, NO_USER)
    assert list(audit(now=NOW)) == []


def test_the_whole_message_comes_back_on_request(alice):
    queue(BOB, ret="FULL")
    end(NO_USER)
    [letter] = letters(alice.mailbox)
    assert RAW in letter
    assert b"Content-Type: message/rfc822\r\n" in letter


def test_only_the_header_comes_back_otherwise(alice):
    queue(BOB, ret="HDRS")
    end(NO_USER)
    [letter] = letters(alice.mailbox)
    assert b"Subject: Lunch" in letter
    assert b"At noon?" not in letter


def test_a_large_message_comes_back_as_its_header(alice):
    queue(BOB, ret="FULL", raw=make_message(subject="Big", body="x" * 2_000_000))
    end(NO_USER)
    [letter] = letters(alice.mailbox)
    assert len(letter) < 5000
    assert b"Subject: Big" in letter


def test_a_message_that_cannot_be_read_is_reported_all_the_same(alice):
    queue(BOB, raw=make_message(subject="Lost", body="x" * 100_000))
    assert Blob.objects.get().data is None
    shutil.rmtree(conf.data_dir() / "blobs")
    end(NO_USER)
    [letter] = letters(alice.mailbox)
    assert said(letter)[0].final_recipient == "bob@x.example"
    assert "(no subject)" in text_of(letter)


def test_envelope_id_and_original_recipient_are_told(alice):
    queue(Recipient("bob@x.example", orcpt="rfc822;old+2Bbob@x.example"), envid="QQ+3D1")
    end(NO_USER)
    [entry] = said(letters(alice.mailbox)[0])
    assert entry.envelope_id == "QQ=1"
    assert entry.original_recipient == "old+bob@x.example"


def test_smtputf8_is_kept(alice):
    recipient = Recipient("josé@x.example")
    queue(recipient, smtputf8=True, reverse_path="ñandú@outside.example", origin="forward")
    end(NO_USER)
    row = QueuedMessage.objects.get(origin="dsn")
    assert row.smtputf8
    assert row.body_8bit


def test_strangers_are_told_only_so_often(alice):
    count = bounce.STRANGER_PER_HOUR + 2
    for _ in range(count):
        queue(BOB, reverse_path=STRANGER, origin="forward")
    end(*[NO_USER] * count)
    told = [outcome for _, outcome in outcomes()]
    assert told.count("sent") == bounce.STRANGER_PER_HOUR
    assert told.count("none_rate") == 2
    queue(BOB, reverse_path=STRANGER, origin="forward", at=hours(1.1))
    QueuedRecipient.objects.filter(message__origin="dsn").delete()
    end(NO_USER, at=hours(1.1))
    assert outcomes()[-1] == ("failed", "sent")


def test_our_own_people_are_told_more_often(alice):
    count = bounce.STRANGER_PER_HOUR + 2
    for _ in range(count):
        queue(BOB)
    end(*[NO_USER] * count)
    assert len(letters(alice.mailbox)) == count


def test_nothing_is_told_when_the_transaction_is_undone(alice):
    queue(BOB)
    with transaction.atomic():
        end(NO_USER)
        transaction.set_rollback(True)
    assert outcomes() == [("queued", "")]
    assert not Message.objects.exists()


def test_a_disabled_mailbox_takes_no_notice(alice):
    Mailbox.objects.filter(pk=alice.mailbox.pk).update(is_enabled=False)
    queue(BOB)
    end(NO_USER)
    assert outcomes() == [("failed", "none_null")]


def test_what_a_peer_says_cannot_shape_the_notice(alice):
    queue(BOB)
    evil = "no\r\nBcc: x@y\r\n\r\n--b\x1b[2J" + "x" * 2000
    end(Failed(Reply(550, "5.7.1", evil)))
    [letter] = letters(alice.mailbox)
    assert b"\r\nBcc:" not in letter.replace(b"=\r\n", b"")  # soft line ends of the text
    assert b"\x1b" not in letter
    assert len(parse_structure(letter).parts) == 4
