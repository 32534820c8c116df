"""The PROXY header: the specification's examples, every way to be wrong, and anything at all."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.smtpd.proxy import Header, NoHeader, parse
from tests.support.proxies import SIGNATURE, v1, v2


@pytest.mark.parametrize(
    ("line", "client"),
    [
        # The longest lines of the specification, section 2.1.
        (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", ("255.255.255.255", 65535)),
        (
            b"PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n".replace(
                b"ffff:f...f:ffff", b":".join([b"ffff"] * 8)
            ),
            (":".join(["ffff"] * 8), 65535),
        ),
        (b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", ("192.168.0.1", 56324)),
        (b"PROXY TCP6 2001:DB8::1 ::1 0 25\r\n", ("2001:db8::1", 0)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN " + b":".join([b"ffff"] * 8) + b" x 65535 65535\r\n", None),
    ],
)
def test_version_1_says_who_is_there(line, client):
    assert parse(line + b"EHLO x\r\n") == Header(len(line), client)
    assert [parse(line[:end]) for end in range(len(line))] == [None] * len(line)


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY\r\n",
        b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 99999999\r\n",
        b"PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1\n192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.\xb2 192.0.2.2 1 2\r\n",
        b"PROXY UNKNOWN" + b" " * 200 + b"\r\n",
        b"PROXY TCP4 " + b"1" * 200,
        b"EHLO client.test\r\n",
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\r\nEHLO x\r\n",
    ],
)
def test_what_is_no_version_1_is_refused(line):
    with pytest.raises(NoHeader):
        parse(line)


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (v2("192.0.2.1", 4711), ("192.0.2.1", 4711)),
        (v2("2001:db8::1", 65535), ("2001:db8::1", 65535)),
        (v2("192.0.2.1", 4711, more=b"\x01\x00\x02h2"), ("192.0.2.1", 4711)),
        (v2("192.0.2.1", 4711, command=0), None),
        (v2("", 0, command=0), None),
        (v2("", 0, command=1), None),
        (SIGNATURE + b"\x21\x31" + struct.pack("!H", 216) + bytes(216), None),
    ],
)
def test_version_2_says_who_is_there(header, client):
    assert parse(header + b"EHLO x\r\n") == Header(len(header), client)
    assert [parse(header[:end]) for end in range(len(header))] == [None] * len(header)


@pytest.mark.parametrize(
    "header",
    [
        SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),  # version 1 in the clothes of 2
        SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),  # neither LOCAL nor PROXY
        SIGNATURE + b"\x21\x12\x00\x0c" + bytes(12),  # UDP
        SIGNATURE + b"\x21\x41\x00\x0c" + bytes(12),  # no such family
        SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),  # shorter than its addresses
        SIGNATURE + b"\x21\x21\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x11\xff\xff",  # 64 KiB
        SIGNATURE[:-1] + b"\r",
    ],
)
def test_what_is_no_version_2_is_refused(header):
    with pytest.raises(NoHeader):
        parse(header)


@given(st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21"]), st.data())
def test_anything_is_a_header_or_is_refused_or_wants_more(start, data):
    octets = start + data.draw(st.binary(max_size=300))
    try:
        header = parse(octets)
    except NoHeader:
        return
    assert header is None or 0 < header.octets <= len(octets)
    # Nobody waits for ever: what wants more at its longest is a version 2 within its limit.
    assert header is not None or len(octets) < 107 or octets.startswith(SIGNATURE)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_both_versions_carry_any_client(ip, port):
    for header in (v1(str(ip), port), v2(str(ip), port)):
        assert parse(header) == Header(len(header), (str(ip), port))
