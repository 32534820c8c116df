"""From our own people to mailboxes and queue: who may, what is written, what is put off.

RFC 6409; RFC 5321; RFC 3461. Everything is asked row by row.
"""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta

import pytest

from mailcore import rawmail
from mailcore.delivery import submit
from mailcore.delivery.submit import Submission
from mailcore.directory import resolve
from mailcore.directory.aliases import create_alias
from mailcore.errors import Refused
from mailcore.models.blob import Blob
from mailcore.models.directory import Domain, Mailbox
from mailcore.models.message import Message
from mailcore.models.queue import QueuedMessage, QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.queue import claim, control
from mailcore.smtp.envelope import Envelope, ForwardPath, Peer, TlsInfo
from tests.support.deliveries import NOW, make_message
from tests.support.people import (
    MADE_AT,
    Person,
    give_access,
    make_alice,
    make_bob,
    make_mallory,
    make_operator,
)

pytestmark = pytest.mark.django_db(transaction=True)

REMOTE = "dora@outside.example"
LATER = NOW + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _ground(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.CASILLA_HOSTNAME = "mx.hamburger.test"
    settings.OUTBOUND_MODE = "direct"
    resolve.forget()
    yield
    resolve.forget()


@pytest.fixture
def alice() -> Person:
    return make_alice()


@pytest.fixture
def bob(alice) -> Person:
    return make_bob()


def letter(sender: str = "alice@hamburger.test", **options) -> bytes:
    return make_message(sender=sender, **{"to": "x@y.test", "message_id": "m@x.test", **options})


def submission(
    who: Person,
    *paths: str | ForwardPath,
    raw: bytes = b"",
    sender: str | None = None,
    **options,
) -> Submission:
    forward = (p if isinstance(p, ForwardPath) else ForwardPath(p) for p in paths)
    return Submission(
        envelope=Envelope(who.address if sender is None else sender, tuple(forward)),
        content=raw or letter(who.address),
        submitter_id=who.user.pk,
        trace_id=uuid.uuid4(),
        peer=Peer("192.0.2.7", 4711, "[10.1.2.3]", True, TlsInfo("TLSv1.3", "AES"), uuid.uuid4()),
        **options,
    )


def refusal(made: Submission) -> str:
    with pytest.raises(Refused) as caught:
        submit.submit(made, now=NOW)
    return str(caught.value.reply)[:9]


def whole(row: Message) -> bytes:
    return bytes(row.prefix) + rawmail.read(row.content.blob)


def inbox(who: Person, role: str = "inbox") -> list[Message]:
    return list(Message.objects.filter(folder=who.folder(role)).order_by("uid"))


def rows() -> dict[str, tuple[str, str]]:
    found = QueuedRecipient.objects.order_by("pk")
    return {row.forward_path: (row.route, row.state) for row in found}


def fates(trace_id: uuid.UUID) -> dict[str, Counter[str]]:
    """What the audit asks: of each accepted path its events, and its rows as `row:state`."""
    events = list(TraceEvent.objects.filter(trace_id=trace_id).values_list("forward_path", "kind"))
    queued = QueuedRecipient.objects.filter(message__trace_id=trace_id)
    found = [(path, f"row:{state}") for path, state in queued.values_list("forward_path", "state")]
    accepted = [path for path, kind in events if kind == "accepted"]
    return {
        path: Counter(kind for other, kind in events + found if other == path) for path in accepted
    }


# --- one transaction for all ---


def test_local_is_stored_and_remote_is_queued_with_a_sent_copy(bob, alice):
    made = submit.submit(submission(alice, bob.address, REMOTE), now=NOW)
    [copy], [sent] = inbox(bob), inbox(alice, "sent")
    assert copy.content == sent.content
    assert rows() == {bob.address: ("local", "delivered"), REMOTE: ("mx", "queued")}
    queued = QueuedMessage.objects.get(pk=made.message_id)
    assert (queued.origin, queued.submitter, queued.sent_message) == (
        "submission",
        alice.user,
        sent,
    )
    assert (queued.blob, queued.trace_id) == (copy.content.blob, made.trace_id)
    assert queued.size == len(queued.prefix) + queued.blob.size
    assert (sent.is_seen, copy.is_seen) == (True, False)
    assert fates(made.trace_id) == {
        bob.address: Counter(accepted=1, stored=1) + Counter({"row:delivered": 1}),
        REMOTE: Counter(accepted=1, queued=1) + Counter({"row:queued": 1}),
    }


def test_nothing_is_kept_when_one_recipient_went_away(bob, alice):
    assert refusal(submission(alice, bob.address, "gone@hamburger.test", REMOTE)) == "550 5.1.1"
    tables = (Message, QueuedMessage, Blob, TraceEvent)
    assert [table for table in tables if table.objects.exists()] == []


def test_in_capture_mode_nothing_is_due(bob, alice, settings):
    settings.OUTBOUND_MODE = "capture"
    submit.submit(submission(alice, bob.address, REMOTE), now=NOW)
    assert rows() == {bob.address: ("local", "delivered"), REMOTE: ("captured", "captured")}
    assert claim.claim(now=LATER) == []


def test_who_writes_to_oneself_has_it_in_both_folders(alice):
    made = submit.submit(submission(alice, alice.address), now=NOW)
    assert len(inbox(alice)) == len(inbox(alice, "sent")) == 1
    assert fates(made.trace_id)[alice.address] == Counter(
        {"accepted": 1, "stored": 1, "row:delivered": 1}
    )


def test_mailbox_may_keep_no_sent_copies(bob, alice):
    Mailbox.objects.filter(pk=alice.mailbox.pk).update(keeps_sent_copy=False)
    submit.submit(submission(alice, bob.address), now=NOW)
    assert inbox(alice, "sent") == []
    assert QueuedMessage.objects.get().sent_message is None


def test_receipt_from_the_null_path_leaves_no_sent_copy(bob, alice):
    submit.submit(submission(alice, bob.address, sender=""), now=NOW)
    assert inbox(alice, "sent") == []
    assert bytes(inbox(bob)[0].prefix).startswith(b"Return-Path: <>\r\n")


def test_several_paths_into_one_mailbox_are_rows_of_their_own_and_one_copy(bob, alice):
    paths = [bob.address, "BOB@Hamburger.test", "bob+x@hamburger.test", bob.address]
    made = submit.submit(submission(alice, *paths), now=NOW)
    assert len(inbox(bob)) == 1
    assert set(rows()) == {bob.address, "BOB@hamburger.test", "bob+x@hamburger.test"}
    assert all(found["row:delivered"] == 1 for found in fates(made.trace_id).values())
    assert all(found["accepted"] == 1 for found in fates(made.trace_id).values())


def test_alias_becomes_a_row_for_each_target(bob, alice):
    create_alias(address="team@hamburger.test", targets=[bob.address, REMOTE], now=MADE_AT)
    asked = ForwardPath("team@hamburger.test", ("NEVER",), "rfc822;team@hamburger.test")
    made = submit.submit(submission(alice, asked, alice.address), now=NOW)
    assert rows() == {
        alice.address: ("local", "delivered"),
        bob.address: ("local", "delivered"),
        REMOTE: ("mx", "queued"),
    }
    remote = QueuedRecipient.objects.get(forward_path=REMOTE)
    assert (remote.original_forward_path, remote.notify) == ("team@hamburger.test", "NEVER")
    assert remote.orcpt == "rfc822;team@hamburger.test"
    assert fates(made.trace_id)["team@hamburger.test"] == Counter(accepted=1, expanded=1)
    assert b"Delivered-To: bob@hamburger.test\r\n" in bytes(inbox(bob)[0].prefix)


def test_path_named_directly_wins_over_the_same_from_an_alias(bob, alice):
    create_alias(address="team@hamburger.test", targets=[bob.address], now=MADE_AT)
    direct = ForwardPath(bob.address, ("DELAY",))
    submit.submit(submission(alice, "team@hamburger.test", direct), now=NOW)
    row = QueuedRecipient.objects.get()
    assert (row.original_forward_path, row.notify) == ("", "DELAY")
    assert len(inbox(bob)) == 1


# --- the header ---


def test_header_is_completed_and_blind_copies_are_seen_by_their_author_only(bob, alice):
    raw = b"From: alice@hamburger.test\r\nBcc: bob@hamburger.test\r\n\r\nHi\r\n"
    made = submission(alice, bob.address, REMOTE, raw=raw)
    submit.submit(made, now=NOW)
    [copy], [sent] = inbox(bob), inbox(alice, "sent")
    blob = rawmail.read(copy.content.blob)
    assert (
        blob
        == (
            f"Message-ID: <{made.trace_id.hex}@mx.hamburger.test>\r\n"
            "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
            "From: alice@hamburger.test\r\n\r\nHi\r\n"
        ).encode()
    )
    assert whole(sent) == b"Bcc: bob@hamburger.test\r\n" + blob
    assert b"bcc" not in (bytes(copy.prefix) + bytes(QueuedMessage.objects.get().prefix)).lower()
    assert copy.sent_at == NOW


def test_received_tells_that_somebody_signed_in_and_not_from_where(bob, alice):
    submit.submit(submission(alice, bob.address, REMOTE), now=NOW)
    prefix = bytes(QueuedMessage.objects.get().prefix)
    for field in (prefix, bytes(inbox(bob)[0].prefix)):
        assert b"with ESMTPSA" in field
        assert b"192.0.2.7" not in field
        assert b"10.1.2.3" not in field
        assert b"for <" not in field


def test_large_message_with_a_new_header_goes_through_a_file(bob, alice, settings):
    raw = b"From: alice@hamburger.test\r\n\r\n" + b"x" * 70 * 40_000 + b"\r\n"
    submit.submit(submission(alice, bob.address, raw=raw), now=NOW)
    content = rawmail.read_checked(inbox(bob)[0].content.blob)
    assert content.endswith(raw)
    assert content.startswith(b"Message-ID: <")
    assert not any((settings.DATA_DIR / "spool").iterdir())


def test_octets_above_127_need_8bitmime_even_undeclared(alice):
    raw = letter(body="ñ")
    submit.submit(submission(alice, REMOTE, raw=raw), now=NOW)
    assert QueuedMessage.objects.get().body_8bit


# --- who may ---

FORGED = {
    "From: bob@hamburger.test": "553 5.7.1",
    "From: Alice <bob@hamburger.test>": "553 5.7.1",
    "From: alice@hamburger.test, bob@hamburger.test": "553 5.7.1",
    "From: alice@hamburger.test\r\nSender: bob@hamburger.test": "553 5.7.1",
    "From: alice@hamburger.test\r\nSender: nobody at all": "553 5.7.1",
    "From: alice@hamburger.test\r\nFrom: bob@hamburger.test": "550 5.6.0",
    "From: alice@hamburger.test\r\nFROM : bob@hamburger.test": "550 5.6.0",
    "Subject: nobody": "550 5.6.0",
    "From: undisclosed:;": "553 5.7.1",
    "From:": "553 5.7.1",
    "From: <>": "553 5.7.1",
    "From: bob@hamburger.test <alice@hamburger.test>": "553 5.7.1",
    "From: alice@hamburger.test <bob@hamburger.test>": "553 5.7.1",
    "From: alice@hamburger.test(, bob@hamburger.test": "553 5.7.1",
    "From: postmaster@hamburger.test": "553 5.7.1",
    "From: alice@elsewhere.test": "553 5.7.1",
    "From: alice": "553 5.7.1",
    "From: =?utf-8?q?alice=40hamburger=2Etest?=": "553 5.7.1",
}


def test_nobody_writes_in_anothers_name(bob, alice):
    raws = {text: f"{text}\r\nSubject: x\r\n\r\nx\r\n".encode() for text in FORGED}
    found = {text: refusal(submission(alice, REMOTE, raw=raw)) for text, raw in raws.items()}
    assert found == FORGED
    assert refusal(submission(alice, REMOTE, sender=bob.address)) == "553 5.7.1"
    assert not QueuedMessage.objects.exists()


def test_line_that_is_no_field_hides_no_second_author(bob, alice):
    raw = b"From: alice@hamburger.test\r\nno field\r\nFrom: bob@hamburger.test\r\n\r\nx\r\n"
    submit.submit(submission(alice, bob.address, raw=raw), now=NOW)
    content = rawmail.read(inbox(bob)[0].content.blob)
    assert b"From: alice@hamburger.test\r\n\r\nno field\r\n" in content


def test_own_addresses_in_all_their_forms_may_be_used(bob, alice):
    create_alias(address="sales@hamburger.test", targets=[alice.address], now=MADE_AT)
    for address in (
        "alice+lists@hamburger.test",
        "Alice@HAMBURGER.test",
        '"alice"@hamburger.test',
        "sales@hamburger.test",
    ):
        submit.submit(submission(alice, bob.address, raw=letter(address), sender=address), now=NOW)
    assert len(inbox(bob)) == 4


def test_catch_all_lets_its_mailbox_write_from_what_is_nobodys(bob, alice):
    Domain.objects.update(catch_all=alice.mailbox)
    raw = letter("anything@hamburger.test")
    submit.submit(submission(alice, REMOTE, raw=raw, sender="anything@hamburger.test"), now=NOW)
    assert refusal(submission(alice, REMOTE, raw=letter(bob.address))) == "553 5.7.1"


@pytest.mark.parametrize(("role", "may"), [("read", False), ("send", True), ("owner", True)])
def test_delegate_writes_from_a_mailbox_by_role_and_its_sent_copy_stays_there(
    bob, alice, role, may
):
    give_access(user=alice.user, mailbox=bob.mailbox, role=role)
    made = submission(alice, REMOTE, raw=letter(bob.address), sender=bob.address)
    if not may:
        assert refusal(made) == "553 5.7.1"
        return
    submit.submit(made, now=NOW)
    assert len(inbox(bob, "sent")) == 1
    assert inbox(alice, "sent") == []


def test_disabled_user_and_stranger_may_nothing(bob, alice):
    mallory = make_mallory()
    operator = make_operator()
    assert refusal(submission(mallory, REMOTE, raw=letter(), sender="")) == "553 5.7.1"
    assert refusal(submission(mallory, REMOTE, sender=alice.address)) == "553 5.7.1"
    with pytest.raises(Refused):
        submit.check_sender(user_id=operator.pk, reverse_path=alice.address)
    alice.user.is_active = False
    alice.user.save()
    assert refusal(submission(alice, REMOTE)) == "553 5.7.1"


# --- success of what is delivered at once ---


def test_success_is_told_to_who_asked_for_local_mail(bob, alice):
    asked = ForwardPath(bob.address, ("SUCCESS",))
    submit.submit(submission(alice, asked, REMOTE), now=NOW)
    [notice] = inbox(alice)
    assert bytes(notice.prefix).startswith(b"Return-Path: <>")
    assert b"2.1.5" in rawmail.read(notice.content.blob)
    outcomes = dict(QueuedRecipient.objects.values_list("forward_path", "dsn_outcome"))
    assert outcomes == {bob.address: "sent", REMOTE: ""}


# --- put off ---


def put_off(alice: Person, *paths: str | ForwardPath, raw: bytes = b"") -> QueuedMessage:
    made = submission(alice, *paths, raw=raw, not_before=LATER, origin="webmail")
    return QueuedMessage.objects.get(pk=submit.submit(made, now=NOW).message_id)


def test_what_is_put_off_waits_whole_without_date_and_sent_copy(bob, alice):
    raw = letter(headers=["Date: Fri, 20 Nov 2026 08:00:00 +0000"])
    queued = put_off(alice, bob.address, REMOTE, raw=raw)
    assert not Message.objects.exists()
    assert rows() == {bob.address: ("local", "queued"), REMOTE: ("mx", "queued")}
    assert b"Date:" not in bytes(queued.prefix) + rawmail.read(queued.blob)
    assert claim.claim(now=LATER - timedelta(seconds=1)) == []
    assert fates(queued.trace_id) == {
        path: Counter({"accepted": 1, "queued": 1, "row:queued": 1})
        for path in (bob.address, REMOTE)
    }


def test_release_dates_stores_and_lets_go(bob, alice):
    queued = put_off(alice, bob.address, REMOTE, raw=letter(to=REMOTE))
    stale = claim.claim(now=LATER)
    assert submit.release(message_id=queued.pk, now=LATER)
    [copy], [sent] = inbox(bob), inbox(alice, "sent")
    date = b"Date: Sat, 21 Nov 2026 14:00:00 +0000\r\n"
    assert whole(copy).count(b"\r\nDate: ") == 1
    assert bytes(copy.prefix).endswith(date)
    assert bytes(sent.prefix) == b"Bcc: bob@hamburger.test\r\n" + date
    assert (copy.sent_at, sent.received_at) == (LATER, LATER)
    queued.refresh_from_db()
    assert (queued.sent_message, queued.not_before) == (sent, None)
    assert bytes(queued.prefix).endswith(date)
    assert queued.size == len(queued.prefix) + queued.blob.size
    assert rows() == {bob.address: ("local", "delivered"), REMOTE: ("mx", "queued")}
    assert claim.renew(tokens=[batch.token for batch in stale], now=LATER) == set()
    [batch] = claim.claim(now=LATER)
    assert (batch.recipients[0].forward_path, batch.not_before) == (REMOTE, None)
    assert batch.prefix == bytes(queued.prefix)
    assert fates(queued.trace_id)[bob.address] == Counter(
        {"accepted": 1, "queued": 1, "stored": 1, "delivered": 1, "row:delivered": 1}
    )


def test_second_release_does_nothing(bob, alice):
    queued = put_off(alice, bob.address, REMOTE)
    submit.release(message_id=queued.pk, now=LATER)
    claim.claim(now=LATER)
    submit.release(message_id=queued.pk, now=LATER)
    assert len(inbox(bob)) == len(inbox(alice, "sent")) == 1
    assert claim.claim(now=LATER) == []


def test_release_before_the_time_does_nothing(bob, alice):
    queued = put_off(alice, bob.address)
    submit.release(message_id=queued.pk, now=NOW)
    assert rows() == {bob.address: ("local", "queued")}
    assert not Message.objects.exists()


def test_undo_takes_all_of_it_back(bob, alice):
    queued = put_off(alice, bob.address, REMOTE)
    assert control.cancel_unsent(message=queued.public_id, now=NOW)
    assert {state for _, state in rows().values()} == {"cancelled"}
    submit.release(message_id=queued.pk, now=LATER)
    assert not Message.objects.exists()
    assert claim.claim(now=LATER) == []


def test_mailbox_gone_before_the_release_bounces(bob, alice):
    queued = put_off(alice, bob.address, REMOTE)
    Mailbox.objects.filter(pk=bob.mailbox.pk).update(is_enabled=False)
    resolve.forget()
    submit.release(message_id=queued.pk, now=LATER)
    row = QueuedRecipient.objects.get(forward_path=bob.address)
    assert (row.state, row.dsn_outcome, row.last_reply[:9]) == ("failed", "sent", "550 5.2.1")
    assert len(inbox(alice)) == 1


def test_address_that_became_an_alias_is_followed(bob, alice):
    create_alias(address="desk@hamburger.test", targets=[bob.address], now=MADE_AT)
    queued = put_off(alice, "desk@hamburger.test")
    bob_address = QueuedRecipient.objects.get()
    assert bob_address.original_forward_path == "desk@hamburger.test"
    submit.release(message_id=queued.pk, now=LATER)
    assert bytes(inbox(alice, "sent")[0].prefix).startswith(b"Bcc: desk@hamburger.test\r\n")
    assert len(inbox(bob)) == 1


def test_held_until_after_the_release_is_delivered_by_another(bob, alice):
    queued = put_off(alice, bob.address, REMOTE)
    local = QueuedRecipient.objects.get(forward_path=bob.address)
    control.hold(which=control.Which(recipients=[local.public_id]), now=NOW)
    submit.release(message_id=queued.pk, now=LATER)
    assert inbox(bob) == []
    control.release(which=control.Which(recipients=[local.public_id]), now=LATER)
    submit.release(message_id=queued.pk, now=LATER)
    assert len(inbox(bob)) == len(inbox(alice, "sent")) == 1
    assert whole(inbox(bob)[0]).count(b"\r\nDate: ") == 1
