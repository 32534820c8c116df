"""Replies as values and on the wire (RFC 5321, 4.2)."""

from __future__ import annotations

import pytest

from mailcore.smtp.reply import Reply
from mailcore.smtpd.replies import on_wire


def test_reply_without_enhanced_code_has_no_gap():
    assert str(Reply(354, "", "Go on")) == "354 Go on"
    assert str(Reply(550, "5.1.1", "No")) == "550 5.1.1 No"


@pytest.mark.parametrize(
    ("code", "expected"), [(250, False), (421, True), (499, True), (550, False)]
)
def test_only_4yz_is_temporary(code, expected):
    assert Reply(code, "", "").is_temporary is expected


@pytest.mark.parametrize("text", ["a\r\nb", "a\x1b[2Jb", "ñ", "x" * 2000, "\0", "\u2028"])
def test_reply_on_the_wire_is_one_printable_line_of_512_octets(text):
    line = on_wire(Reply(550, "5.0.0", text))
    assert line.endswith(b"\r\n")
    assert len(line) <= 512
    assert all(32 <= octet < 127 for octet in line[:-2])
