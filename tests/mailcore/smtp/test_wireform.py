"""Content on the wire: only CRLF, stuffed dots, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.smtp.wireform import normalise, stuff
from tests.support.fake_mta_octets import bare_line_ends, unstuff
from tests.support.hostile_messages import hostile_messages

PIECES = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"x", b"\0", b"\xff"])).map(
    b"".join
)


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b""),
        (b"a", b"a\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n"),
        (b"a\r.\rb", b"a\r\n..\r\nb\r\n"),
        (b"a\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
        (b"a\r\r\nb\r\n", b"a\r\n\r\nb\r\n"),
        (b".a\r\n..b\r\n", b"..a\r\n...b\r\n"),
    ],
)
def test_line_ends_become_crlf_and_dots_are_stuffed(content, wire):
    assert stuff(normalise(content)) == wire


@given(PIECES)
def test_nothing_ends_the_message_early_and_nothing_is_lost(content):
    normal = normalise(content)
    wire = stuff(normal)
    assert not bare_line_ends(wire)
    assert b"\r\n.\r\n" not in wire
    assert not wire.startswith(b".\r\n")
    assert unstuff(wire) == normal
    assert normalise(normal) == normal
    assert normal.split() == content.split()


def test_the_hostile_corpus_has_no_bare_line_end_on_the_wire():
    for hostile in hostile_messages():
        wire = stuff(normalise(hostile.data))
        assert not bare_line_ends(wire), hostile.name
        assert b"\r\n.\r\n" not in wire, hostile.name
