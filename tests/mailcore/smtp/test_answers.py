"""Replies out of a stream: the RFC's forms, the limits, and octets of any kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.smtp.answers import (
    LINE_OCTETS,
    REPLY_LINES,
    TEXT_CHARS,
    Answers,
    BadAnswer,
    clean,
    to_reply,
)
from mailcore.smtp.reply import Reply


def read(octets: bytes) -> Reply | None:
    answers = Answers()
    answers.feed(octets)
    answer = answers.next()
    return None if answer is None else to_reply(*answer)


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"250 OK\r\n", Reply(250, "", "OK")),
        (b"250\r\n", Reply(250, "", "")),
        (b"250 \r\n", Reply(250, "", "")),
        (b"250 2.1.0 Sender ok\n", Reply(250, "2.1.0", "Sender ok")),
        (b"250-First\r\n250-234 Text\r\n250 Last\r\n", Reply(250, "", "First 234 Text Last")),
        (b"550-5.7.1 No.\r\n550 5.7.1 Never\r\n", Reply(550, "5.7.1", "No. Never")),
        (b"450 5.1.1 other class\r\n", Reply(450, "", "5.1.1 other class")),
        (b"550 5.1.1\r\n", Reply(550, "5.1.1", "")),
        (b"550 5.1.1234 no code\r\n", Reply(550, "", "5.1.1234 no code")),
        ("550 5.6.7 señor\r\n".encode(), Reply(550, "5.6.7", "señor")),
    ],
)  # fmt: skip
def test_reply_is_read(octets, reply):
    assert read(octets) == reply


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\n", b"ok\r\n", b"2500 x\r\n", b"25 x\r\n", b"250x\r\n", b"650 x\r\n", b"260 x\r\n",
        b"-250 x\r\n", "２５０ x\r\n".encode(), b" 250 x\r\n", b"250-a\r\n251 b\r\n",
        b"250-a\r\nHTTP/1.1\r\n", b"\x16\x03\x01\n", b"123 x\r\n",
    ],
)  # fmt: skip
def test_what_is_no_reply_is_an_error(octets):
    with pytest.raises(BadAnswer):
        read(octets)


def test_limits_are_those_of_a_line_and_of_a_reply():
    assert read(b"250 " + b"x" * (LINE_OCTETS - 6) + b"\r\n") is not None
    for octets in (
        b"250 " + b"x" * (LINE_OCTETS - 5) + b"\r\n",
        b"250 " + b"x" * LINE_OCTETS,
        b"250-x\r\n" * (REPLY_LINES + 1),
        (b"250-" + b"x" * 1000 + b"\r\n") * 70,
    ):
        with pytest.raises(BadAnswer):
            read(octets)
    assert read(b"250-x\r\n" * (REPLY_LINES - 1) + b"250 x\r\n") is not None


def test_the_text_of_a_peer_is_clean_and_bounded():
    reply = read(b"550 a\x00b\x1b[31mc\rd\xc2\x85e " + b"x" * 1500 + b"\r\n")
    assert reply is not None
    assert reply.text.isprintable()
    assert len(reply.text) == TEXT_CHARS
    assert clean("a\u202eb\u2028c\x7f") == "a b c"


def test_replies_that_came_together_are_given_one_by_one():
    answers = Answers()
    answers.feed(b"250 a\r\n250-b\r\n250 c\r\n354")
    assert answers.next() == (250, [b"a"])
    assert answers.next() == (250, [b"b", b"c"])
    assert bytes(answers.raw) == b"250-b\r\n250 c\r\n"
    assert answers.next() is None
    assert answers.pending_octets == 3


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"250 ok\r\n", b"250-a\r\n", b"4"])))
def test_octets_of_any_kind_give_replies_or_the_one_error_however_they_are_cut(pieces):
    def everything(chunks):
        answers = Answers()
        found: list[object] = []
        try:
            for chunk in chunks:
                answers.feed(chunk)
                while (answer := answers.next()) is not None:
                    found.append(answer)
        except BadAnswer:
            found.append("bad")
        return found

    whole = everything([b"".join(pieces)])
    assert everything(pieces) == whole
    assert everything([bytes([octet]) for octet in b"".join(pieces)]) == whole
