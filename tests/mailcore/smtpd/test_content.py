"""The bytes of DATA: where a message ends and what it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.smtpd.content import ContentDecoder


def decode(
    octets: bytes, *, step: int = 0, limit: int = 10**7
) -> tuple[bytes, bytes, ContentDecoder]:
    """Feed `octets` in chunks; return content, what lies behind it, and the decoder."""
    kept = bytearray()
    decoder = ContentDecoder(kept.extend, limit=limit)
    step = step or max(1, len(octets))
    for start in range(0, len(octets), step):
        rest = decoder.feed(octets[start : start + step])
        if decoder.is_complete:
            return bytes(kept), rest + octets[start + step :], decoder
    return bytes(kept), b"", decoder


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5])
@pytest.mark.parametrize(
    ("octets", "content"),
    [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..\r\n...\r\n.\r\n", b"a\r\n.\r\n..\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"\r\n.\r\n", b"\r\n"),
    ],
)
def test_content_ends_at_the_dot_and_loses_stuffed_dots(octets, content, step):
    found, rest, decoder = decode(octets + b"QUIT\r\n", step=step)
    assert (found, rest) == (content, b"QUIT\r\n")
    assert decoder.size == len(content)
    assert not decoder.has_bare


@given(
    lines=st.lists(st.sampled_from([b"", b".", b"..", b".x", b"y", b"long"]), max_size=9),
    step=st.integers(1, 70_000),
)
def test_stuffed_content_comes_back(lines, step):
    lines = [line.replace(b"long", b"z" * 40_000) for line in lines]
    content = b"".join(line + b"\r\n" for line in lines)
    stuffed = b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines)
    found, rest, decoder = decode(stuffed + b".\r\nrest", step=step)
    assert (found, rest, decoder.is_complete) == (content, b"rest", True)


@pytest.mark.parametrize("position", [0, 1, 65_530, 65_531, 65_532, 65_533, 65_534, 65_535, 65_536])
@pytest.mark.parametrize("lone", [b"\r", b"\n"])
def test_lone_line_end_is_seen_wherever_it_stands(position, lone):
    octets = b"x" * position + lone + b"y" * 70_000 + b"\r\n.\r\n"
    assert decode(octets, step=8192)[2].has_bare
    plain = b"x" * position + b"\r\n" + b"y" * 70_000 + b"\r\n.\r\n"
    assert not decode(plain, step=8192)[2].has_bare


def test_too_large_is_noticed_while_reading_and_not_kept():
    found, _, decoder = decode(b"x\r\n" * 100_000, step=8192, limit=100_000)
    assert decoder.is_too_large
    assert not decoder.is_complete
    assert len(found) <= 100_000
