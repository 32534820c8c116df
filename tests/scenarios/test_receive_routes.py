"""Where a message goes: several recipients, aliases, forwards, catch-all, details, postmaster.

RFC 5321, 3.9 and 4.5.1; RFC 5233; RFC 3461. What is stored is asked row by row.
"""

from __future__ import annotations

from mailcore import rawmail
from mailcore.directory.aliases import create_alias
from mailcore.models.blob import Blob
from mailcore.models.directory import Address, Domain, Mailbox
from mailcore.models.message import Message
from mailcore.models.queue import QueuedMessage, QueuedRecipient
from tests.support.deliveries import make_message
from tests.support.people import MADE_AT, make_mallory
from tests.support.receiving import events, mail_from, octets, send, stored, stuffed, trace_id

RAW = make_message(message_id="letter@outside.example")


def alias(address: str, *targets: str) -> None:
    create_alias(address=address, targets=targets, now=MADE_AT)


def prefix(row: Message) -> list[str]:
    """The fields before the blob, unfolded, without the date."""
    lines = bytes(row.prefix).decode().replace("\r\n\t", " ").split("\r\n")
    return [line.partition(";")[0] for line in lines[:-1]]


def test_several_recipients_share_a_blob_and_each_sees_only_itself(mx, alice, bob):
    mallory = make_mallory()
    people = [alice, bob, mallory]
    reply = mx.deliver(RAW, *(person.address for person in people))
    rows = stored(reply)
    assert [row.mailbox for row in rows] == [person.mailbox for person in people]
    assert len({row.content_id for row in rows}) == Blob.objects.count() == 1
    assert octets(rows[0]) == RAW
    for row, person in zip(rows, people, strict=True):
        assert prefix(row) == [
            "Return-Path: <carol@outside.example>",
            f"Delivered-To: {person.address}",
            "Received: from client.test ([127.0.0.1]) by mx.hamburger.test with ESMTP"
            f" id {trace_id(reply).hex} for <{person.address}>",
        ]
        assert row.size == len(row.prefix) + len(RAW)
        assert row.folder == person.folder()
    told = [(kind, person.address) for kind in ("accepted", "stored") for person in people]
    assert sorted(events(reply)) == sorted([("connected", ""), *told])


def test_recipient_named_twice_gets_one_copy(mx, bob):
    reply = mx.deliver(RAW, bob.address, "BOB@Hamburger.Test")
    assert len(stored(reply)) == 1
    assert events(reply)[-1] == ("duplicate", "BOB@Hamburger.Test")


def test_recipient_without_message_id_named_twice_gets_one_copy(mx, bob):
    assert len(stored(mx.deliver(make_message(), bob.address, bob.address))) == 1


def test_alias_to_several_targets_reaches_all(mx, alice, bob):
    alias("team@hamburger.test", alice.address, bob.address)
    reply = mx.deliver(RAW, "team@hamburger.test")
    rows = stored(reply)
    assert [row.mailbox for row in rows] == [alice.mailbox, bob.mailbox]
    assert [prefix(row)[1] for row in rows] == [
        "Delivered-To: alice@hamburger.test",
        "Delivered-To: bob@hamburger.test",
    ]
    assert all(prefix(row)[2].endswith(" for <team@hamburger.test>") for row in rows)
    assert ("expanded", "team@hamburger.test") in events(reply)


def test_aliases_that_meet_deliver_once(mx, alice, bob):
    alias("one@hamburger.test", alice.address, bob.address)
    alias("two@hamburger.test", bob.address)
    reply = mx.deliver(RAW, "one@hamburger.test", "two@hamburger.test", bob.address)
    assert [row.mailbox for row in stored(reply)] == [alice.mailbox, bob.mailbox]
    assert events(reply).count(("duplicate", "bob@hamburger.test")) == 2


def test_aliases_that_meet_deliver_once_without_message_id(mx, alice, bob):
    alias("one@hamburger.test", alice.address, bob.address)
    assert len(stored(mx.deliver(make_message(), "one@hamburger.test", bob.address))) == 2


def test_one_bad_target_of_an_alias_does_not_stop_the_others(mx, bob):
    alias("team@hamburger.test", "gone@hamburger.test", bob.address)
    assert [row.mailbox for row in stored(mx.deliver(RAW, "team@hamburger.test"))] == [bob.mailbox]


def test_forward_to_remote_is_queued_with_its_envelope(mx, bob, settings):
    settings.OUTBOUND_MODE = "direct"
    alias("away@hamburger.test", "bob@elsewhere.test", bob.address)
    reply = mx.deliver(RAW, "away@hamburger.test")
    [row] = stored(reply)
    queued = QueuedMessage.objects.select_related("blob").get()
    assert (queued.reverse_path, queued.origin) == ("carol@outside.example", "forward")
    assert queued.trace_id == trace_id(reply)
    assert queued.blob == row.content.blob
    assert rawmail.read(queued.blob) == RAW
    assert queued.size == len(queued.prefix) + len(RAW)
    assert bytes(queued.prefix).startswith(b"Received: from client.test")
    recipient = queued.recipients.get()
    assert (recipient.forward_path, recipient.domain) == ("bob@elsewhere.test", "elsewhere.test")
    assert recipient.original_forward_path == "away@hamburger.test"
    assert recipient.state == "queued"
    assert ("forwarded", "bob@elsewhere.test") in events(reply)


def test_forwards_that_meet_are_queued_once(mx, bob):
    alias("one@hamburger.test", "bob@elsewhere.test")
    alias("two@hamburger.test", "bob@elsewhere.test", "carl@elsewhere.test")
    mx.deliver(RAW, "one@hamburger.test", "two@hamburger.test")
    paths = QueuedRecipient.objects.order_by("forward_path").values_list("forward_path", flat=True)
    assert list(paths) == ["bob@elsewhere.test", "carl@elsewhere.test"]


def test_repeat_of_a_forward_is_not_queued_again(mx, bob):
    alias("away@hamburger.test", "bob@elsewhere.test")
    mx.deliver(RAW, "away@hamburger.test")
    repeat = mx.deliver(RAW, "away@hamburger.test")
    assert ("duplicate", "bob@elsewhere.test") in events(repeat)
    assert QueuedRecipient.objects.count() == 1


def test_dsn_parameters_reach_the_queue(mx, bob):
    alias("away@hamburger.test", "bob@elsewhere.test")
    alias("off@hamburger.test", "carl@elsewhere.test")
    with mx.greet() as client:
        command = mail_from(parameters="BODY=8BITMIME RET=HDRS ENVID=QQ314159")
        assert client.ask(command)[:3] == b"250"
        rcpt = b"RCPT TO:<away@hamburger.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2B1@x.test"
        assert client.ask(rcpt)[:3] == b"250"
        assert client.ask(b"RCPT TO:<off@hamburger.test> NOTIFY=NEVER")[:3] == b"250"
        client.ask(b"DATA")
        client.send(stuffed(RAW))
        assert trace_id(client.reply())
    queued = QueuedMessage.objects.get()
    assert (queued.ret, queued.envid, queued.body_8bit) == ("HDRS", "QQ314159", True)
    kept = queued.recipients.order_by("forward_path").values_list("notify", "orcpt")
    assert list(kept) == [("SUCCESS,FAILURE", "rfc822;Bob+2B1@x.test"), ("NEVER", "")]


def test_null_sender_is_kept_as_null(mx, bob):
    alias("away@hamburger.test", "bob@elsewhere.test", bob.address)
    [row] = stored(mx.deliver(RAW, "away@hamburger.test", sender=""))
    assert prefix(row)[0] == "Return-Path: <>"
    assert QueuedMessage.objects.get().reverse_path == ""


def test_catch_all_takes_what_has_no_address_even_a_percent_hack(mx, alice, bob):
    Domain.objects.update(catch_all=alice.mailbox)
    paths = ["nobody@hamburger.test", "victim%elsewhere.test@hamburger.test"]
    for number, path in enumerate(paths):
        [row] = stored(mx.deliver(make_message(message_id=f"{number}@x"), path))
        assert (row.mailbox, prefix(row)[1]) == (alice.mailbox, f"Delivered-To: {path}")
    [row] = stored(mx.deliver(RAW, bob.address))
    assert row.mailbox == bob.mailbox
    assert not QueuedMessage.objects.exists()


def test_detail_is_kept_in_delivered_to_and_an_exact_address_wins(mx, alice, bob):
    [row] = stored(mx.deliver(RAW, "bob+lists@hamburger.test"))
    assert (row.mailbox, prefix(row)[1]) == (bob.mailbox, "Delivered-To: bob+lists@hamburger.test")
    Address.objects.create(
        domain=Domain.objects.get(),
        local_part="bob+work",
        mailbox=alice.mailbox,
        created_at=MADE_AT,
    )
    [row] = stored(mx.deliver(RAW, "Bob+Work@hamburger.test"))
    assert row.mailbox == alice.mailbox


def test_detail_wins_over_the_catch_all(mx, alice, bob):
    Domain.objects.update(catch_all=alice.mailbox)
    [row] = stored(mx.deliver(RAW, "bob+lists@hamburger.test"))
    assert row.mailbox == bob.mailbox


def test_postmaster_is_taken_with_and_without_domain(mx, bob):
    system = Mailbox.objects.get(is_system=True)
    for number, path in enumerate(["postmaster", "PostMaster", "POSTMASTER@hamburger.test"]):
        [row] = stored(mx.deliver(make_message(message_id=f"{number}@x"), path))
        assert row.mailbox == system


def test_source_routes_are_stripped_before_anything_is_kept(mx, bob):
    """RFC 5321, appendix C. A route may be longer than any address, our columns are not."""
    alias("away@hamburger.test", "bob@elsewhere.test")
    route = ",".join(f"@relay{n}.test" for n in range(100))
    reply = mx.deliver(
        RAW,
        f"{route}:bob@hamburger.test",
        "@mx.test:away@hamburger.test",
        sender=f"{route}:carol@outside.example",
    )
    [row] = stored(reply)
    assert prefix(row)[:2] == [
        "Return-Path: <carol@outside.example>",
        "Delivered-To: bob@hamburger.test",
    ]
    assert prefix(row)[2].endswith(" for <bob@hamburger.test>")
    assert ("stored", bob.address) in events(reply)
    queued = QueuedMessage.objects.get()
    assert queued.reverse_path == "carol@outside.example"
    assert queued.recipients.get().original_forward_path == "away@hamburger.test"


def test_local_part_in_quotes_is_the_same_mailbox(mx, bob):
    [row] = stored(mx.deliver(RAW, '"b\\ob"@hamburger.test'))
    assert row.mailbox == bob.mailbox


def test_second_message_of_a_session_has_recipients_of_its_own(mx, alice, bob):
    with mx.greet() as client:
        first = send(client, RAW, bob.address)
        second = send(client, make_message(message_id="2@x"), alice.address)
    assert [row.mailbox for row in stored(first)] == [bob.mailbox]
    assert [row.mailbox for row in stored(second)] == [alice.mailbox]
