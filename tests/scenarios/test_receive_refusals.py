"""Every refusal of port 25 has its code, and nothing of what was refused is kept.

RFC 5321, 4.2.3 and RFC 3463. Tables of cases share a server: making one costs more than a case.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mailcore import trace
from mailcore.directory import resolve
from mailcore.directory.aliases import create_alias
from mailcore.models.blob import Blob
from mailcore.models.directory import Address, Domain, Mailbox
from mailcore.models.message import Message
from mailcore.models.queue import QueuedMessage
from mailcore.models.trace import TraceEvent
from tests.support.deliveries import make_message
from tests.support.people import MADE_AT, make_person
from tests.support.receiving import LIMITS, mail_from, open_data, send, stored, stuffed

SMALL = make_message(message_id="small@outside.example")


def nothing_kept() -> bool:
    return not (Message.objects.exists() or QueuedMessage.objects.exists() or Blob.objects.exists())


UNKNOWN = b"550 5.1.1 No such mailbox here\r\n"
RELAY = b"550 5.7.1 We are not a relay for that domain\r\n"
NO_ADDRESS = b"501 5.1.3 That is not a mailbox address\r\n"
NOT_OURS = {
    "nobody@hamburger.test": UNKNOWN,
    "victim%elsewhere.test@hamburger.test": UNKNOWN,
    "elsewhere.test!victim@hamburger.test": UNKNOWN,
    '"victim@elsewhere.test"@hamburger.test': UNKNOWN,
    '"@elsewhere.test:victim"@hamburger.test': UNKNOWN,
    "victim@elsewhere.test": RELAY,
    "bob@sub.hamburger.test": RELAY,
    "bob@[127.0.0.1]": RELAY,
    "@hamburger.test:victim@elsewhere.test": RELAY,
    "@hamburger.test,@mx.test:victim@elsewhere.test": RELAY,
    "bob%hamburger.test@elsewhere.test": RELAY,
    "hamburger.test!bob@elsewhere.test": RELAY,
    '"bob@hamburger.test"@elsewhere.test': RELAY,
    "hamburger.test!bob": NO_ADDRESS,
    "victim@elsewhere.test@hamburger.test": NO_ADDRESS,
    "bob": NO_ADDRESS,
    "": NO_ADDRESS,
    "josé@hamburger.test": b"553 5.6.7 That address needs SMTPUTF8\r\n",
}


def test_recipients_that_are_not_ours_are_refused(mx, bob):
    assert {path: mx.rcpt(path) for path in NOT_OURS} == NOT_OURS
    refusals = [event for event in mx.events if event.kind == "refused"]
    assert [refusal.forward_path for refusal in refusals] == [
        re.sub("^@.*:", "", path) for path in NOT_OURS
    ]
    assert [refusal.reply.encode() + b"\r\n" for refusal in refusals] == list(NOT_OURS.values())


def test_without_a_recipient_there_is_no_message(mx, bob):
    with mx.greet() as client:
        client.ask(mail_from())
        assert client.ask(b"RCPT TO:<victim@elsewhere.test>") == RELAY
        assert client.ask(b"DATA")[:9] == b"503 5.5.1"
    assert nothing_kept()


def test_refused_recipient_does_not_spoil_the_accepted_one(mx, bob):
    with mx.greet() as client:
        client.ask(mail_from())
        assert client.ask(b"RCPT TO:<nobody@hamburger.test>")[:9] == b"550 5.1.1"
        assert client.ask(b"RCPT TO:<bob@hamburger.test>")[:9] == b"250 2.1.5"
        client.ask(b"DATA")
        client.send(stuffed(SMALL))
        [row] = stored(client.reply())
    assert row.mailbox == bob.mailbox


def test_refusals_reach_the_trace_table(mx, bob):
    mx.rcpt("nobody@hamburger.test")
    behind = trace.Behind()
    for event in mx.events:
        behind.put(event)
    assert behind.flush()
    kinds = TraceEvent.objects.order_by("pk").values_list("kind", "forward_path", "peer")
    assert list(kinds) == [
        ("connected", "", "127.0.0.1"),
        ("refused", "nobody@hamburger.test", "127.0.0.1"),
    ]


def test_declared_size_over_the_limit_is_refused_at_mail(mx, bob):
    with mx.greet() as client:
        too_large = f"SIZE={LIMITS.message_octets + 1}"
        assert client.ask(mail_from(parameters=too_large))[:9] == b"552 5.3.4"
        fits = f"SIZE={LIMITS.message_octets}"
        assert client.ask(mail_from(parameters=fits))[:9] == b"250 2.1.0"


def test_declared_size_over_the_setting_is_refused_at_mail(mx, bob, settings):
    settings.MESSAGE_SIZE_LIMIT = 1000
    with mx.greet() as client:
        assert client.ask(mail_from(parameters="SIZE=1001"))[:9] == b"552 5.3.4"


def test_message_over_the_limit_is_refused_after_its_dot_and_the_session_goes_on(start_mx, bob):
    mx = start_mx(limits=replace(LIMITS, message_octets=100_000))
    with mx.greet() as client:
        assert send(client, SMALL + b"x" * 120_000 + b"\r\n")[:9] == b"552 5.3.4"
        assert nothing_kept()
        assert len(stored(send(client, SMALL))) == 1


def test_message_without_end_is_cut_off_at_twice_the_limit(start_mx, bob):
    mx = start_mx(limits=replace(LIMITS, message_octets=100_000))
    with mx.greet() as client:
        open_data(client)
        client.send(b"x" * 1_000_000)
        assert client.rest()[:9] in {b"552 5.3.4", b""}  # a reset may overtake the reply
    assert nothing_kept()
    assert [event.reply[:9] for event in mx.events if event.kind == "refused"] == ["552 5.3.4"]


QUOTA = {  # octets used of 10,000 and what MAIL declared
    (0, ""): b"250 2.1.5",
    (0, "SIZE=9999"): b"250 2.1.5",
    (0, "SIZE=10000"): b"452 4.2.2",
    (0, "SIZE=10001"): b"552 5.2.2",
    (9_000, ""): b"250 2.1.5",
    (9_000, "SIZE=999"): b"250 2.1.5",
    (9_000, "SIZE=1000"): b"452 4.2.2",
    (9_000, "SIZE=2001"): b"552 5.2.2",
    (10_000, ""): b"452 4.2.2",
    (11_001, ""): b"552 5.2.2",
}


def test_full_mailbox_is_refused_at_rcpt(mx, ground):
    full = make_person("full@hamburger.test", quota_bytes=10_000)
    replies = {}
    for used, size in QUOTA:
        Mailbox.objects.filter(pk=full.mailbox.pk).update(used_bytes=used)
        resolve.forget()
        replies[used, size] = mx.rcpt(full.address, parameters=size)[:9]
    assert replies == QUOTA


def test_domain_quota_holds_for_a_mailbox_without_its_own(mx, bob):
    Domain.objects.update(default_quota_bytes=5_000)
    assert mx.rcpt("bob@hamburger.test", parameters="SIZE=5001")[:9] == b"552 5.2.2"


def test_mail_that_was_taken_counts_against_the_quota(mx, ground):
    full = make_person("full@hamburger.test", quota_bytes=2_000)
    [row] = stored(mx.deliver(make_message(body="x" * 1_800), "full@hamburger.test"))
    full.mailbox.refresh_from_db()
    assert full.mailbox.used_bytes == row.size >= 2_000
    resolve.forget()
    assert mx.rcpt("full@hamburger.test")[:9] == b"452 4.2.2"


def test_recipients_beyond_the_limit_are_452_and_the_rest_is_delivered(start_mx, alice, bob):
    mx = start_mx(limits=replace(LIMITS, recipients=1))
    with mx.greet() as client:
        client.ask(mail_from())
        assert client.ask(b"RCPT TO:<bob@hamburger.test>")[:9] == b"250 2.1.5"
        assert client.ask(b"RCPT TO:<alice@hamburger.test>")[:9] == b"452 4.5.3"
        client.ask(b"DATA")
        client.send(stuffed(SMALL))
        assert [row.mailbox for row in stored(client.reply())] == [bob.mailbox]


def test_message_that_passed_too_many_hosts_is_a_loop(mx, bob, settings):
    settings.RECEIVED_LIMIT = 3
    hop = "Received: from a by b; Mon, 2 Mar 2026 09:00:00 +0000"
    assert mx.deliver(make_message(headers=[hop] * 4)) == (
        b"554 5.4.6 The message has passed too many hosts, it seems to loop\r\n"
    )
    assert nothing_kept()
    assert len(stored(mx.deliver(make_message(headers=[hop] * 3)))) == 1


def test_forward_that_comes_back_is_a_loop(mx, bob):
    create_alias(address="away@hamburger.test", targets=["bob@elsewhere.test"], now=MADE_AT)
    raw = make_message(headers=["Delivered-To: away@hamburger.test"])
    assert mx.deliver(raw, "away@hamburger.test")[:9] == b"554 5.4.6"
    assert nothing_kept()


def test_aliases_in_a_circle_are_refused_at_rcpt(mx, bob):
    create_alias(address="a@hamburger.test", targets=["b@hamburger.test"], now=MADE_AT)
    create_alias(address="b@hamburger.test", targets=["a@hamburger.test"], now=MADE_AT)
    assert mx.rcpt("a@hamburger.test") == b"550 5.4.6 That address leads in a circle\r\n"


def test_short_disk_is_452_until_there_is_room(mx, bob, settings):
    settings.DISK_FREE_MIN = 2**60
    with mx.greet() as client:
        assert client.ask(mail_from())[:9] == b"452 4.3.1"
    assert nothing_kept()


@pytest.mark.parametrize(
    "limits",
    [
        replace(LIMITS, connections_per_client=1),
        replace(LIMITS, new_per_minute=1),
        replace(LIMITS, connections=2),
    ],
)
def test_connection_beyond_the_limit_is_421(start_mx, bob, limits):
    mx = start_mx(limits=limits)
    with mx.greet() as client, mx.dial() as late:
        assert late.rest()[:9] == b"421 4.3.2"
        assert len(stored(send(client, SMALL))) == 1


BARE = [
    b"a\nb\r\n",
    b"a\rb\r\n",
    b"a\n\r\n",
    b"a\r\r\n",
    b"a\n.\nMAIL FROM:<x@y>\r\n",
    b"a\r.\rMAIL FROM:<x@y>\r\n",
    b"a\n.\r\nMAIL FROM:<x@y>\r\n",
    b"a\r\n.\nMAIL FROM:<x@y>\r\n",
    b"a\0\n.\r\nMAIL FROM:<x@y>\r\n",
]


def test_bare_cr_or_lf_is_refused_and_what_follows_is_no_command(mx, bob):
    replies = []
    for octets in BARE:
        with mx.greet() as client:
            open_data(client)
            client.send(SMALL + octets + b".\r\n")
            replies.append((client.reply()[:10], client.ask(b"RSET")[:9]))
    assert replies == [(b"550 5.6.11", b"250 2.0.0")] * len(BARE)
    assert nothing_kept()


def test_disabled_mailbox_is_550_5_2_1(mx, bob):
    Mailbox.objects.filter(pk=bob.mailbox.pk).update(is_enabled=False)
    assert mx.rcpt("bob@hamburger.test") == b"550 5.2.1 That mailbox does not take mail\r\n"


def test_disabled_domain_is_550_5_1_2(mx, bob):
    Domain.objects.update(is_enabled=False)
    assert mx.rcpt("bob@hamburger.test") == b"550 5.1.2 That domain does not take mail\r\n"
    assert mx.rcpt("nobody@hamburger.test")[:9] == b"550 5.1.2"


def test_mailbox_removed_between_rcpt_and_data_is_not_acknowledged(mx, bob):
    with mx.greet() as client:
        open_data(client)
        Address.objects.filter(mailbox=bob.mailbox).delete()
        resolve.forget()
        client.send(stuffed(SMALL))
        assert client.reply()[:9] == b"550 5.1.1"
    assert nothing_kept()
