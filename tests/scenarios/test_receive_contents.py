"""What a message may be made of: stored octet for octet, whatever it looks like.

RFC 5321, 4.5.2 and 4.5.3; RFC 6152; RFC 6531. The blob is what came, before it our own fields.
"""

from __future__ import annotations

import pytest

from mailcore.models.blob import Content
from mailcore.store import read, verify
from tests.support.deliveries import make_message
from tests.support.mail_builders import derive_all, opened
from tests.support.people import make_person
from tests.support.receiving import BOB, octets, stored

HEADER = b"From: a@x.test\r\nMessage-ID: <it@x.test>\r\n"
CONTENTS = {
    "empty": b"",
    "empty line": b"\r\n",
    "header only": HEADER,
    "header and empty line": HEADER + b"\r\n",
    "no header": b"\r\nonly a body\r\n",
    "no header, no empty line": b"just some words\r\nand more of them\r\n",
    "one dot": HEADER + b"\r\n.\r\n",
    "dots": HEADER + b"\r\n..\r\n...\r\n.a\r\n a.\r\n. \r\n",
    "dot in the first line": b".From: a@x.test\r\n\r\n.\r\n",
    "8-bit": HEADER + b"\r\n" + bytes(range(128, 256)) + b"\r\n",
    "8-bit header": b"Subject: caf\xe9 \xff\xfe\r\n\r\nx\r\n",
    "NUL": HEADER + b"Subject: a\0b\r\n\r\nc\0d\r\n",
    "every octet": HEADER + b"\r\n" + bytes(n for n in range(256) if n not in b"\r\n") + b"\r\n",
    "long line": HEADER + b"\r\n" + b"x" * 2**20 + b"\r\n",
    "long header line": b"Subject: " + b"y" * 60_000 + b"\r\n" + HEADER + b"\r\nx\r\n",
    "many empty lines": HEADER + b"\r\n" * 50_000,
    "many dots": HEADER + b"\r\n" + b".\r\n" * 50_000,
    "three megabytes": HEADER + b"\r\n" + (b"z" * 76 + b"\r\n") * 40_000,
}


def test_octets_are_stored_as_they_came_and_can_be_read(mx, bob):
    rows = {name: stored(mx.deliver(raw)) for name, raw in CONTENTS.items()}
    assert [name for name, raw in CONTENTS.items() if octets(rows[name][0]) != raw] == []
    derive_all()
    states = dict.fromkeys(Content.objects.values_list("parse_state", flat=True))
    assert list(states) == ["ready"]
    for name, [row] in rows.items():
        view = opened(bob.mailbox, row.public_id)
        assert read.raw(message=view) == bytes(row.prefix) + CONTENTS[name]
        assert view.size == len(row.prefix) + len(CONTENTS[name])
        assert read.rendered_body(message=view).kind == "text"
    assert verify.verify() == []


def test_header_larger_than_we_take_is_refused(mx, bob):
    raw = b"Subject: a\r\n" + b" folded\r\n" * 200_000 + b"\r\nx\r\n"
    assert mx.deliver(raw)[:9] == b"552 5.3.4"
    assert not Content.objects.exists()


@pytest.mark.parametrize("helo", [b"HELO client.test", b"EHLO client.test"])
def test_eight_bit_comes_through_with_and_without_the_extension(mx, bob, helo):
    parameters = b" BODY=8BITMIME" if helo.startswith(b"EHLO") else b""
    raw = HEADER + b"\r\n\xe9\xff\r\n"
    with mx.greet(helo) as client:
        client.ask(b"MAIL FROM:<a@x.test>" + parameters)
        client.ask(b"RCPT TO:<bob@hamburger.test>")
        client.ask(b"DATA")
        client.send(raw + b".\r\n")
        [row] = stored(client.reply())
    assert octets(row) == raw
    assert f"with {'E' * bool(parameters)}SMTP" in bytes(row.prefix).decode()


def test_smtputf8_mailbox_is_found_in_any_form(mx, ground):
    jose = make_person("josé@hamburger.test")
    raw = "From: Δοκιμή <δ@x.test>\r\nSubject: ¡Hola!\r\n\r\nñ\r\n".encode()
    for path in ("josé@hamburger.test", "JOSE\u0301@hamburger.test", "José+x@hamburger.test"):
        reply = mx.deliver(raw, path, sender="δοκιμή@x.test", parameters="SMTPUTF8 BODY=8BITMIME")
        [row] = stored(reply)
        assert row.mailbox == jose.mailbox
        prefix = bytes(row.prefix).decode()
        assert prefix.startswith("Return-Path: <δοκιμή@x.test>\r\n")
        assert "with UTF8SMTP" in prefix
        assert octets(row) == raw
    derive_all()
    view = opened(jose.mailbox, row.public_id)
    assert (view.subject, view.from_name, view.from_address) == ("¡Hola!", "Δοκιμή", "δ@x.test")


def test_sender_in_utf8_needs_the_parameter(mx, bob):
    with mx.greet() as client:
        assert client.ask("MAIL FROM:<δοκιμή@x.test>".encode())[:9] == b"553 5.6.7"
        assert client.ask("MAIL FROM:<δοκιμή@x.test> SMTPUTF8".encode())[:9] == b"250 2.1.0"


def test_message_of_a_thousand_parts_can_be_read(mx, bob):
    part = "--b\r\nContent-Type: text/plain; name=n%d.txt\r\n" + (
        "Content-Disposition: attachment\r\n\r\npart %d\r\n"
    )
    body = "".join(part % (n, n) for n in range(1000)) + "--b--"
    kind = "Content-Type: multipart/mixed; boundary=b"
    raw = make_message(headers=["MIME-Version: 1.0", kind], body=body)
    [row] = stored(mx.deliver(raw, BOB))
    derive_all()
    view = opened(bob.mailbox, row.public_id)
    assert view.state == "ready"
    assert len(view.parts) >= 999
    assert read.part_bytes(message=view, part="500", max_bytes=100) == b"part 499"
    assert read.raw(message=view) == bytes(row.prefix) + raw
