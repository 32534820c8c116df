"""Reports of others mark the mail that they are about, and no other mail."""

from __future__ import annotations

import shutil
from dataclasses import replace
from uuid import UUID

import pytest
from django.core.management import call_command

from mailcore import conf
from mailcore.delivery import reports
from mailcore.directory import resolve
from mailcore.dsn.compose import RecipientReport, Report, compose
from mailcore.models.blob import Content
from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.models.queue import QueuedRecipient
from mailcore.models.report import WaitingReport
from mailcore.models.trace import TraceEvent
from mailcore.queue.enqueue import Recipient
from mailcore.store import expunge, sweep
from mailcore.store.deliver import deliver_batch
from mailcore.trace import Entry, record
from tests.support.bounces import NO_USER, OK, RAW, end, hours, queue
from tests.support.deliveries import NOW, make_delivery
from tests.support.mail_builders import derive_all
from tests.support.people import Person, make_alice, make_bob

pytestmark = pytest.mark.django_db

GATEWAY = "gateway.x.example"
NO_MAILBOX = "550 5.1.1 <bob@x.example>: no mailbox"
FOREIGN = Report(
    to="alice@hamburger.test",
    sender_name="Mail Delivery Subsystem",
    sender=f"mailer-daemon@{GATEWAY}",
    subject="Returned mail",
    text="Sorry.",
    language="",
    message_id=f"1@{GATEWAY}",
    at=NOW,
    reporting_host=GATEWAY,
    recipients=(RecipientReport("bob@x.example", "failed", "5.1.1", diagnostic=NO_MAILBOX),),
    original=RAW,
)
ENVID_ONLY = replace(FOREIGN, original=b"", envid="QQ+3D1")


@pytest.fixture(autouse=True)
def direct(settings):
    """Let mail leave, so that it can be claimed."""
    settings.OUTBOUND_MODE = "direct"


@pytest.fixture
def alice() -> Person:
    resolve.forget()
    return make_alice()


def sent(
    *recipients: Recipient, reverse_path: str = "alice@hamburger.test", result=OK, envid: str = ""
) -> UUID:
    """Send the message of RAW with its end; return its trace id."""
    recipients = recipients or (Recipient("bob@x.example"),)
    trace_id = queue(*recipients, reverse_path=reverse_path, envid=envid)
    record(
        Entry(trace_id, NOW, "accepted", reverse_path, r.forward_path, "lunch@hamburger.test")
        for r in recipients
    )
    if result is not None:
        end(*[result] * len(recipients))
    return trace_id


def arrive(
    report: Report | bytes, mailbox: Mailbox, *, reverse_path: str = "", role: str = "inbox"
) -> None:
    """Put a report into a mailbox as port 25 does, and let everything be read."""
    raw = report if isinstance(report, bytes) else compose(report)
    delivery = make_delivery(raw, mailbox, reverse_path=reverse_path, keyed=False, role=role)
    prefix = f"Return-Path: <{reverse_path}>\r\n".encode()
    copies = tuple(replace(copy, prefix=prefix) for copy in delivery.copies)
    deliver_batch([replace(delivery, copies=copies)], now=NOW)
    derive_all()


def marked(trace_id: UUID) -> list[tuple[str, str, str]]:
    rows = QueuedRecipient.objects.filter(message__trace_id=trace_id).order_by("pk")
    return list(rows.values_list("state", "reported_action", "last_reply"))


def told(trace_id: UUID) -> list[tuple[str, str]]:
    events = TraceEvent.objects.filter(trace_id=trace_id, kind="reported").order_by("pk")
    return list(events.values_list("forward_path", "reply"))


UNTOUCHED = ("delivered", "", "250 2.0.0 Ok")
BOUNCED = ("delivered", "failed", NO_MAILBOX)


def test_a_later_failure_is_noted_beside_the_delivery(alice):
    trace_id = sent()
    arrive(FOREIGN, alice.mailbox)
    assert reports.mark_all(now=hours(1)) == 1
    assert marked(trace_id) == [BOUNCED]
    event = TraceEvent.objects.get(trace_id=trace_id, kind="reported")
    assert (event.at, event.peer, event.reply) == (hours(1), GATEWAY, NO_MAILBOX)
    assert event.detail == {
        "action": "failed",
        "notice": Message.objects.get(content__message_id=f"1@{GATEWAY}").trace_id.hex,
    }
    assert not WaitingReport.objects.exists()


def test_only_the_recipient_that_it_names_is_marked(alice):
    trace_id = sent(Recipient("eve@x.example"), Recipient("bob@x.example"))
    arrive(FOREIGN, alice.mailbox)
    reports.mark_all(now=NOW)
    assert marked(trace_id) == [UNTOUCHED, BOUNCED]


def test_the_envelope_id_finds_it_too(alice):
    trace_id = sent(envid="QQ+3D1")
    arrive(ENVID_ONLY, alice.mailbox)
    assert reports.mark_all(now=NOW) == 1
    assert marked(trace_id) == [BOUNCED]


def test_the_message_id_of_a_sent_copy_finds_it_without_its_trace(alice):
    trace_id = sent()
    TraceEvent.objects.all().delete()
    deliver_batch([make_delivery(RAW, alice.mailbox, keyed=False, role="sent")], now=NOW)
    arrive(FOREIGN, alice.mailbox)
    assert reports.mark_all(now=NOW) == 1
    assert marked(trace_id) == [BOUNCED]


@pytest.mark.parametrize(
    ("recipient", "final", "orcpt"),
    [
        (Recipient("bob@x.example"), "robert@inside.x.example", "rfc822;bob@x.example"),
        (Recipient("Bob@x.example"), "bob@X.example", ""),
        (
            Recipient("bob@x.example", orcpt="rfc822;b+2B1@y.example"),
            "z@z",
            "rfc822;b+2B1@y.example",
        ),
        (Recipient("bob@x.example", original="team@hamburger.test"), "team@hamburger.test", ""),
        (Recipient("josé@x.example"), "josé@x.example", ""),
    ],
)
def test_final_and_original_recipient_fit_in_any_writing(alice, recipient, final, orcpt):
    trace_id = sent(recipient)
    entry = replace(FOREIGN.recipients[0], final_recipient=final, orcpt=orcpt)
    arrive(replace(FOREIGN, recipients=(entry,)), alice.mailbox)
    assert reports.mark_all(now=NOW) == 1
    assert marked(trace_id)[0][1] == "failed"


def test_a_report_counts_once_however_often_it_is_read(alice):
    trace_id = sent()
    arrive(FOREIGN, alice.mailbox)
    reports.mark_all(now=NOW)
    Content.objects.update(parsed_at=None, parse_attempts=0)
    derive_all()
    assert WaitingReport.objects.exists()
    assert reports.mark_all(now=NOW) == 0
    assert len(told(trace_id)) == 1


def said(action: str, number: int) -> Report:
    entry = RecipientReport("bob@x.example", action, "", diagnostic=f"{number} {action}")
    return replace(FOREIGN, recipients=(entry,), message_id=f"{number}@{GATEWAY}")


@pytest.mark.parametrize(
    ("actions", "kept", "reply"),
    [
        (["delayed", "failed"], "failed", "1 failed"),
        (["failed", "delayed"], "failed", "0 failed"),
        (["delayed", "delivered"], "delivered", "0 delayed"),
        (["relayed", "delivered", "delayed"], "delivered", "250 2.0.0 Ok"),
        (["delivered", "failed"], "failed", "1 failed"),
    ],
)
def test_the_report_that_says_most_stays(alice, actions, kept, reply):
    trace_id = sent()
    for number, action in enumerate(actions):
        arrive(said(action, number), alice.mailbox)
        reports.mark_all(now=NOW)
    assert marked(trace_id) == [("delivered", kept, reply)]
    assert len(told(trace_id)) == len(actions)


def test_no_other_state_changes_by_a_report(alice):
    failed = sent(result=NO_USER)
    waiting = sent(result=None)
    before = marked(failed), marked(waiting)
    arrive(said("delivered", 1), alice.mailbox)
    assert reports.mark_all(now=NOW) == 2
    assert (marked(failed), marked(waiting)) == before
    assert told(failed) == told(waiting) == [("bob@x.example", "1 delivered")]


def test_a_forged_report_in_another_mailbox_marks_nothing(alice):
    bob = make_bob()
    trace_id = sent()
    arrive(FOREIGN, bob.mailbox)
    assert reports.mark_all(now=NOW) == 0
    assert marked(trace_id) == [UNTOUCHED]
    assert told(trace_id) == []


@pytest.mark.parametrize(
    "report",
    [
        replace(FOREIGN, original=RAW.replace(b"lunch@", b"other@")),
        replace(FOREIGN, original=b""),
        replace(ENVID_ONLY, envid="other"),
        replace(
            FOREIGN, recipients=(replace(FOREIGN.recipients[0], final_recipient="c@x.example"),)
        ),
        b"Subject: hello\r\n\r\nFinal-Recipient: rfc822; bob@x.example\r\nAction: failed\r\n",
    ],
)
def test_a_report_that_does_not_fit_marks_nothing(alice, report):
    trace_id = sent(envid="QQ+3D1")
    arrive(report, alice.mailbox)
    assert reports.mark_all(now=NOW) == 0
    assert marked(trace_id) == [UNTOUCHED]
    assert not WaitingReport.objects.exists()


def test_a_report_with_a_sender_is_none(alice):
    trace_id = sent()
    arrive(FOREIGN, alice.mailbox, reverse_path="mallory@crepes.test")
    assert reports.mark_all(now=NOW) == 0
    assert marked(trace_id) == [UNTOUCHED]


def test_our_own_notice_adds_nothing(alice):
    trace_id = sent(result=NO_USER)
    derive_all()
    assert WaitingReport.objects.count() == 1
    assert reports.mark_all(now=NOW) == 0
    assert told(trace_id) == []


def test_a_report_that_was_deleted_in_between_is_let_go(alice):
    sent()
    arrive(FOREIGN, alice.mailbox, role="junk")
    message = Message.objects.get(content__message_id=f"1@{GATEWAY}")
    expunge.destroy(mailbox=alice.mailbox, message_ids=[message.public_id], now=NOW)
    sweep.collect_contents(now=hours(48))
    assert reports.mark_all(now=hours(48)) == 0
    assert not WaitingReport.objects.exists()


def test_a_report_that_cannot_be_read_is_let_go(alice):
    trace_id = sent()
    arrive(replace(FOREIGN, original=RAW + b"x" * 100_000, is_whole=True), alice.mailbox)
    shutil.rmtree(conf.data_dir() / "blobs")
    assert reports.mark_all(now=NOW) == 0
    assert marked(trace_id) == [UNTOUCHED]
    assert not WaitingReport.objects.exists()


def test_the_derive_process_reads_reports(alice):
    trace_id = sent()
    arrive(FOREIGN, alice.mailbox)
    call_command("derive", "--once")
    assert marked(trace_id) == [BOUNCED]


def test_it_ends_when_it_is_told_to(alice):
    sent()
    arrive(FOREIGN, alice.mailbox)
    assert reports.mark_all(now=NOW, is_stopping=lambda: True) == 0
    assert WaitingReport.objects.exists()
