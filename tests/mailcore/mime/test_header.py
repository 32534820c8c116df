from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.header import HeaderTooLarge, base_subject, scan_header
from mailcore.mime.limits import Limits

REPLY = (  # RFC 5322, appendix A.2, with trace fields
    b"Received: from x by y; Fri, 21 Nov 1997 10:01:22 -0600\r\nDelivered-To: john@example.com\r\n"
    b"From: Mary Smith <mary@example.net>\r\nTo: John Doe <JDoe@machine.example>\r\n"
    b"Subject: Re: Saying Hello\r\nDate: Fri, 21 Nov 1997 10:01:10 -0600\r\n"
    b"Message-ID: <3456@example.net>\r\nIn-Reply-To: <1234@local.machine.example>\r\n"
    b"References: <1234@local.machine.example>\r\n\r\nThis is a reply to your hello.\r\n"
)


def test_reply_of_the_rfc():
    scan = scan_header(REPLY)
    assert scan.message_id == "3456@example.net"
    assert scan.in_reply_to == scan.references == ("1234@local.machine.example",)
    assert (scan.subject, scan.base_subject, scan.is_reply) == (
        "Re: Saying Hello",
        "saying hello",
        True,
    )
    assert (scan.from_name, scan.from_address) == ("Mary Smith", "mary@example.net")
    assert scan.sent_at == datetime(1997, 11, 21, 16, 1, 10, tzinfo=UTC)
    assert REPLY[scan.header_size :].startswith(b"This is")
    assert scan.received_count == 1
    assert scan.delivered_to == ("john@example.com",)
    assert scan.participants == ("mary@example.net", "jdoe@machine.example")


def test_memoryview_and_line_feeds_give_the_same():
    plain = REPLY.replace(b"\r\n", b"\n")
    assert scan_header(memoryview(plain)).references == scan_header(REPLY).references


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"X: y\r\n" * 11, "fields"),
        (b"X: " + b"y" * 60, "octets in a field"),
        (b"X: y\r\n\tyyyy\r\n" * 20, "octets of header"),
    ],
)
def test_limits_raise(data, what):
    with pytest.raises(HeaderTooLarge) as raised:
        scan_header(data, limits=Limits(header_bytes=120, header_fields=10, field_bytes=50))
    assert raised.value.what == what


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Re: [list] Fwd: Hello (fwd)", "hello"),
        ("[fwd: Re: Hello]", "hello"),
        ("Re[2]: Hello", "hello"),
        ("[only]", "[only]"),
        ("Re: [only]", "[only]"),
        ("Reply: x", "reply: x"),
        ("Re:", ""),
        ("RE: RV: Reunión", "reunión"),
        ("AW: WG: [team] Antw[3]: Bericht", "bericht"),
        ("Vá: SV: Vs : Rif: TR: RES: ENC: x", "x"),
        ("I: am here", "i: am here"),
        ("R: statistics", "r: statistics"),
        ("Trip: Rome", "trip: rome"),
    ],
)
def test_base_subject(subject, base):
    assert base_subject(subject)[0] == base


@given(
    st.binary(max_size=300), st.sampled_from([b"Subject", b"From", b"Date", b"References", b"To"])
)
def test_any_octets_give_clean_text(value, name):
    scan = scan_header(name + b": " + value)
    for text in (scan.subject, scan.from_name, scan.from_address, *scan.references):
        assert not any(ord(character) < 32 for character in text)
