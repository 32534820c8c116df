"""What a submission server puts right in a header, and what it leaves alone (RFC 6409, 8)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime import fields
from mailcore.mime.originate import is_8bit, originate, with_crlf

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ID = b"Message-ID: <made@mx.test>\r\n"
DATE = b"Date: Sat, 21 Nov 2026 08:00:00 +0000\r\n"


def made(raw: bytes, **options) -> bytes:
    found = originate(raw, message_id="made@mx.test", **{"date": NOW, **options})
    return found.header + raw[found.body_start :]


def test_missing_message_id_and_date_are_added_in_front():
    raw = b"From: a@x.test\r\nSubject: Hi\r\n\r\nbody\r\n"
    assert made(raw) == ID + DATE + raw


def test_what_is_there_stays_octet_by_octet():
    raw = b"DATE: yesterday\r\nFrom: a@x.test\r\nmessage-id :\r\n <x@y>\r\n\r\n\r\nbody"
    found = originate(raw, message_id="made@mx.test", date=NOW)
    assert found.header + raw[found.body_start :] == raw
    assert not found.is_changed


def test_blind_copies_are_taken_out_and_given_back():
    raw = b"From: a@x.test\r\nBcc: b@x.test,\r\n\tc@x.test\r\nTo: d@x.test\r\nBCC: e@x.test\r\n\r\n"
    found = originate(raw, message_id="i@x", date=NOW)
    assert found.bcc == b"Bcc: b@x.test,\r\n\tc@x.test\r\nBCC: e@x.test\r\n"
    assert b"cc:" not in found.header.lower().replace(b"bcc", b"cc")
    assert b"c@x.test" not in found.header
    assert found.header.endswith(b"From: a@x.test\r\nTo: d@x.test\r\n\r\n")


def test_blind_copies_of_a_resent_message_are_taken_out_too():
    raw = b"Resent-Bcc: b@x.test\r\nFrom: a@x.test\r\n\r\n"
    assert b"Resent" not in made(raw)


def test_a_word_that_begins_like_bcc_is_another_field():
    raw = b"Bccx: b\r\nX-Bcc: b\r\nFrom: a@x.test\r\n\r\nBcc: body\r\n"
    assert made(raw) == ID + DATE + raw


def test_date_waits_for_the_release():
    raw = b"Date: now\r\nMessage-ID: <a@b>\r\nFrom: a@x.test\r\n\r\n"
    later = made(raw, date=None, drop=["date"])
    assert later == b"Message-ID: <a@b>\r\nFrom: a@x.test\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"From: a@x\r\nno field\r\nFrom: b@x\r\n", b"From: a@x\r\n\r\nno field\r\nFrom: b@x\r\n"),
        (b"From: a@x\r\n", b"From: a@x\r\n\r\n"),
        (b"From: a@x", b"From: a@x\r\n\r\n"),
        (b"From me Sat Nov 21\r\nFrom: a@x\r\n\r\nhi\r\n", b"From: a@x\r\n\r\nhi\r\n"),
        (b"only a body\r\n", b"\r\nonly a body\r\n"),
        (b"\r\nonly a body\r\n", b"\r\nonly a body\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_header_and_body_are_told_apart_by_an_empty_line(raw, expected):
    assert made(raw) == ID + DATE + expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\rb", b"a\r\nb"),
        (b"a\r\r\nb", b"a\r\n\r\nb"),
        (b"a\n\r\nb", b"a\r\n\r\nb"),
        (b"\n.\n", b"\r\n.\r\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
    ],
)
def test_lone_line_ends_become_crlf(raw, expected):
    assert with_crlf(raw) == expected


@given(st.binary(max_size=300))
def test_lines_end_in_crlf_only_whatever_came(raw):
    text = with_crlf(raw)
    assert text.count(b"\r\n") == text.count(b"\r") == text.count(b"\n")
    assert with_crlf(text) == text


@given(st.lists(st.sampled_from([b"From: a@x", b"Bcc: b@x", b" c@x", b"Date: d", b"", b"w w"])))
def test_no_blind_copy_is_ever_left_in_a_header(lines):
    raw = b"".join(line + b"\r\n" for line in lines)
    text = made(raw)
    end, _ = fields.header_span(text)
    names = [field.name.lower() for field in fields.iterate(text[:end])]
    assert "bcc" not in names
    assert names.count("message-id") == 1
    assert "date" in names
    assert made(text) == text


def test_octets_above_127_are_seen_wherever_they_are():
    assert not is_8bit(b"a" * 3_000_000)
    assert is_8bit(b"a" * 2_999_999 + b"\xff")
