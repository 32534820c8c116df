"""8-bit messages for 7-bit hosts. Python's email package, which we do not use, is the witness."""

from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.transcode import CannotTranscode, to_7bit
from tests.support.hostile_messages import hostile_messages

LATIN = "Grüße an die Familie, señor\r\n".encode("latin-1")
HEAD = b"From: a@x.test\r\nSubject: hi\r\nMIME-Version: 1.0\r\n"


def leaves(raw: bytes) -> list[tuple[str, bytes]]:
    """Return type and decoded octets of each leaf, as the email package sees them."""
    parsed = email.message_from_bytes(raw, policy=email.policy.compat32)
    parts = [part for part in parsed.walk() if not part.is_multipart()]
    return [(part.get_content_type(), part.get_payload(decode=True)) for part in parts]  # type: ignore[misc]


def multipart(*parts: bytes, kind: bytes = b"mixed", encoding: bytes = b"8bit") -> bytes:
    head = HEAD + b"Content-Transfer-Encoding: " + encoding
    head += b'\r\nContent-Type: multipart/%s; boundary="b"\r\n\r\n' % kind
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def test_ascii_content_is_left_alone():
    raw = HEAD + b"Content-Transfer-Encoding: 8bit\r\n\r\nplain\n"
    assert to_7bit(raw) is raw


def test_text_becomes_quoted_printable_and_the_label_changes():
    raw = HEAD + b"Content-Type: text/plain; charset=latin1\r\nContent-Transfer-Encoding: 8bit\r\n"
    made = to_7bit(raw + b"\r\n" + LATIN)
    assert made == (
        HEAD + b"Content-Type: text/plain; charset=latin1\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe an die Familie, se=F1or\r\n"
    )


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("привет\r\n".encode(), b"base64"),
        (b"a" * 100 + b"\xe9\r\n", b"quoted-printable"),
        ("utf-16".encode("utf-16"), b"base64"),
    ],
)
def test_the_shorter_encoding_is_taken_and_keeps_the_octets(body, encoding):
    made = to_7bit(HEAD + b"Content-Type: text/plain\r\n\r\n" + body)
    assert b"Content-Transfer-Encoding: " + encoding in made
    assert leaves(made) == [("text/plain", body)]
    assert max(len(line) for line in made.split(b"\r\n")) <= 76


def test_every_leaf_is_encoded_by_itself_and_containers_become_7bit():
    octets = bytes(range(256)) * 3
    raw = multipart(
        b"Content-Type: text/plain; charset=latin1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + LATIN,
        b"Content-Type: text/html\r\ncontent-transfer-encoding:\r\n 8bit\r\n\r\n<p>ascii</p>",
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n" + octets,
        b"Content-Transfer-Encoding: base64\r\nContent-Type: image/gif\r\n\r\nR0lG",
    )
    made = to_7bit(raw)
    assert made.isascii()
    assert leaves(made) == [
        ("text/plain", LATIN),
        ("text/html", b"<p>ascii</p>"),
        ("image/png", octets),
        ("image/gif", b"GIF"),
    ]
    assert b"8bit" not in made
    assert b"binary" not in made


def test_a_message_inside_is_encoded_inside_itself():
    inner = b"Subject: inner\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + LATIN
    raw = multipart(
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + inner
    )
    made = to_7bit(raw)
    assert b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" in made
    assert leaves(made) == [("text/plain", LATIN)]


def test_mail_from_before_mime_is_labelled_as_unknown():
    made = to_7bit(b"From: a@x.test\r\n\r\n" + LATIN)
    assert b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n" in made
    assert leaves(made) == [("text/plain", LATIN)]


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: se\xf1or\r\n\r\nx\r\n",
        multipart(b"Content-Description: se\xf1or\r\n\r\nx"),
        multipart(b"\r\nx").replace(b"--b\r\n", b"pre\xe9mble\r\n--b\r\n", 1),
        multipart(b"\r\nx") + b"epilogu\xe9",
        multipart(b"Content-Type: text/plain\r\n\r\n" + LATIN, b"\r\nsig", kind=b"signed"),
        multipart(b"Content-Type: message/partial; id=1\r\n\r\n" + LATIN),
        HEAD + b"Content-Type: multipart/mixed\r\n\r\n" + LATIN,
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + LATIN,
        HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + LATIN,
    ],
    ids=["header", "part header", "preamble", "epilogue", "signed", "partial", "no boundary",
         "base64", "quoted-printable"],
)  # fmt: skip
def test_what_cannot_be_kept_is_an_error(raw):
    with pytest.raises(CannotTranscode):
        to_7bit(raw)


def test_a_signed_part_without_8bit_octets_stays_as_it_is():
    signed = b"--s\r\nContent-Transfer-Encoding: 8bit\r\n\r\nascii\r\n--s\r\n\r\nsig\r\n--s--"
    raw = multipart(
        b"Content-Type: multipart/signed; boundary=s\r\n\r\n" + signed,
        b"Content-Type: text/plain; charset=latin1\r\n\r\n" + LATIN,
    )
    assert signed in to_7bit(raw)


@given(st.binary(max_size=300), st.sampled_from(["image/png", "application/octet-stream"]))
def test_any_octets_come_back(octets, kind):
    part = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode() + octets
    raw = multipart(part, b"\r\nf\xfcr")
    if b"\r\n--b" in part or b"\n--b" in part:
        return
    made = to_7bit(raw)
    assert made.isascii()
    if octets.isascii():
        assert octets in made
    else:
        assert leaves(made)[0] == (kind, octets)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_any_text_comes_back(text):
    body = text.encode() + "\r\né\r\n".encode()
    made = to_7bit(HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body)
    assert made.isascii()
    assert leaves(made) == [("text/plain", body)]


def test_hostile_messages_become_ascii_or_a_typed_error():
    outcomes = {"ascii": 0, "error": 0}
    for hostile in hostile_messages():
        try:
            assert to_7bit(hostile.data).isascii(), hostile.name
            outcomes["ascii"] += 1
        except CannotTranscode:
            outcomes["error"] += 1
    assert all(outcomes.values())
