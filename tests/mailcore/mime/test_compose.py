"""Building messages: what comes out is read back, and no field can become another one."""

import email
import email.header
from datetime import UTC, datetime
from email.message import Message
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.errors import MailError
from mailcore.mime import compose, fields
from mailcore.mime.addresslist import Mailbox
from mailcore.mime.compose import File, Letter, UnfitField, build

ALICE = Mailbox("Alice Lefèvre", "alice@crepes.test")
BOB = Mailbox("", "bob@crepes.test")
ID = "0123abcd@crepes.test"


def _letter(**values) -> Letter:
    base: dict[str, Any] = {"message_id": ID, "sender": ALICE, "to": (BOB,)}
    base |= {"subject": "Hello", "text": "Hi\n"}
    return Letter(**{**base, **values})


def _parts(message: Message) -> list[Message]:
    return cast("list[Message]", message.get_payload())


def _octets(message: Message) -> bytes:
    return cast(bytes, message.get_payload(decode=True))


def _names(message: bytes) -> list[str]:
    end, _ = fields.header_span(message, end=len(message))
    return [field.name for field in fields.iterate(message[:end])]


PLAIN_NAMES = [
    *("From", "To", "Subject", "Message-ID", "MIME-Version"),
    *("Content-Type", "Content-Transfer-Encoding"),
]
HOSTILE = [
    "a\rBcc: eve@evil.test",
    "a\nBcc: eve@evil.test",
    "a\r\nBcc: eve@evil.test",
    "a\r\n\r\nbody",
    "a\x00b",
    "a\x0bb",
    "a\x1bb",
    "a\x85b",
    "a\u2028Bcc: eve@evil.test",
    "a\u2029Bcc: eve@evil.test",
    "=?utf-8?q?a=0D=0ABcc:_eve@evil.test?=",
    "=?utf-8?q?a=0ABcc:_eve@evil.test?=",
    "=?utf-8?b?YQ0KQmNjOiBldmVAZXZpbC50ZXN0?=",
    "=?iso-8859-1?q?a=0D?=",
    "=?utf-8?q?a=00?=",
    "\ud800",
]


def _with(field: str, value: str) -> Letter:
    if field == "Subject":
        return _letter(subject=value)
    if field == "From":
        return _letter(sender=Mailbox(value, ALICE.address))
    if field in {"In-Reply-To", "References", "Message-ID"}:
        single = {"In-Reply-To": "in_reply_to", "Message-ID": "message_id"}.get(field)
        return _letter(**({single: value} if single else {"references": (ID, value)}))
    if field == "Content-ID":
        file = File("a.png", "image/png", b"x", content_id=value)
        return _letter(html="<p>x</p>", files=(file,))
    return _letter(**{field.lower(): (Mailbox(value, "carol@outside.example"),)})


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize(
    "field",
    ["Subject", "From", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Content-ID"],
)
def test_no_field_takes_a_line_end_or_a_control_character(field, value):
    with pytest.raises(UnfitField) as caught:
        build(_with(field, value))
    assert caught.value.field == field


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_an_address_with_something_behind_it_is_refused(value):
    with pytest.raises(MailError):
        build(_letter(to=(Mailbox("", f"{value}@x.test"),)))


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize("which", ["name", "content_type"])
def test_a_file_adds_no_field_whatever_it_is_called(which, value):
    values = {"name": "a.txt", "content_type": "text/plain", which: value}
    file = File(values["name"], values["content_type"], b"octets")
    message = build(_letter(files=(file,)))
    assert b"\nBcc" not in message
    part = _parts(email.message_from_bytes(message))[1]
    names = ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
    assert part.keys() == names
    assert _octets(part) == b"octets"


@given(st.text(max_size=200))
def test_any_subject_is_refused_or_read_back_and_the_header_stays_the_same(subject):
    try:
        message = build(_letter(subject=subject))
    except UnfitField:
        return
    assert _names(message) == PLAIN_NAMES
    read = email.header.make_header(email.header.decode_header(_raw(message, "Subject")))
    assert str(read).strip() == subject.strip()


def _raw(message: bytes, name: str) -> str:
    return email.message_from_bytes(message)[name]


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_read_back_as_it_was_written(text, html):
    message = email.message_from_bytes(build(_letter(text=text, html=html)))
    parts = _parts(message) if message.is_multipart() else [message]
    shown = [_octets(part).decode() for part in parts]
    assert [_lines(part) for part in shown] == [_lines(t) for t in (text, html)[: len(parts)]]


def _lines(text: str) -> str:
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    for end in ("\r\n", "\r", "\u2028", "\u2029"):
        text = text.replace(end, "\n")
    return text.strip("\n")


def test_a_name_is_bare_quoted_or_encoded():
    people = (
        Mailbox("Bob Roe", "b@x.test"),
        Mailbox('Roe, "B" \\', "b@x.test"),
        Mailbox("Bö", "b@x.test"),
        Mailbox("=?x?", "b@x.test"),
    )
    message = email.message_from_bytes(build(_letter(to=people)))
    assert message["To"].split(",\r\n\t") == [
        "Bob Roe <b@x.test>",
        '"Roe, \\"B\\" \\\\" <b@x.test>',
        "=?utf-8?b?QsO2?= <b@x.test>",
        "=?utf-8?b?PT94Pw==?= <b@x.test>",
    ]


def test_the_parts_of_a_rich_letter_nest_as_readers_expect():
    files = (
        File("logo.png", "image/png", b"\x89PNG", content_id="logo@x"),
        File("año.pdf", "application/pdf", b"%PDF" * 100),
    )
    message = email.message_from_bytes(
        build(_letter(html='<p><img src="cid:logo@x"></p>', files=files))
    )
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        *("multipart/mixed", "multipart/alternative", "text/plain"),
        *("multipart/related", "text/html", "image/png", "application/pdf"),
    ]
    pdf = _parts(message)[1]
    assert pdf.get_filename() == "año.pdf"
    assert _octets(pdf) == b"%PDF" * 100
    assert _parts(_parts(_parts(message)[0])[1])[1]["Content-ID"] == "<logo@x>"


def test_lines_are_short_and_end_in_crlf():
    people = tuple(Mailbox("Ñandú " * 20, f"p{n}@x.test") for n in range(40))
    message = build(_letter(to=people, subject="ñ" * 400, text="word " * 400, html="<p>ñ</p>"))
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert message.isascii()
    assert max(map(len, message.split(b"\r\n"))) <= 100


def test_references_keep_the_first_and_the_last():
    ids = [f"{n}@x.test" for n in range(60)]
    message = email.message_from_bytes(build(_letter(references=ids, in_reply_to=ids[-1])))
    kept = message["References"].split()
    assert (len(kept), kept[0], kept[-1]) == (20, "<0@x.test>", "<59@x.test>")


def test_an_address_outside_ascii_says_that_it_needs_utf8():
    letter = _letter(to=(Mailbox("", "mañana@x.test"),))
    assert compose.needs_utf8(letter)
    assert "mañana@x.test".encode() in build(letter)
    assert not compose.needs_utf8(_letter())


def test_a_date_is_written_only_when_there_is_one():
    assert b"\nDate:" not in build(_letter())
    at = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
    assert b"\r\nDate: Sat, 21 Nov 2026 09:05:00 +0000\r\n" in build(_letter(date=at))
