import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.envelope import HeaderAddresses, read_addresses
from mailcore.mime.fields import header_span, iterate, unfold
from mailcore.mime.headerlist import list_header
from mailcore.mime.limits import Limits

PIECES = st.lists(
    st.sampled_from(
        [b"From: a@b.example", b" x", b"\t", b"\r\n", b"\n", b"\r", b":", b"\0", b"\xff"]
    ),
    max_size=30,
).map(b"".join)


@pytest.mark.parametrize(
    ("data", "span"),
    [
        (b"", (0, 0)),
        (b"A: b\r\n\r\nbody", (6, 8)),
        (b"A: b\n\nbody", (5, 6)),
        (b"A: b\r\n c\r\nnot a field", (10, 10)),
        (b"\r\nbody", (0, 2)),
        (b"just text", (0, 0)),
        (b"A: b", (4, 4)),
    ],
)
def test_header_ends_where_fields_end(data, span):
    assert header_span(data) == span


def test_folded_field_of_the_rfc():  # RFC 5322, 2.2.3
    fields = list(iterate(b"Subject: This\r\n is a test\r\nX : y\r\n"))
    assert [(field.name, unfold(field.value)) for field in fields] == [
        ("Subject", b"This is a test"),
        ("X", b"y"),
    ]


def test_groups_and_senders_of_the_rfc():  # RFC 5322, A.1.2 and A.1.3
    data = (
        b"From: Pete <pete@silly.example>\r\nSender: x@y.example\r\n"
        b"To: A Group:Ed Jones <joe@where.test>,jdoe@one.test;\r\nCc: Undisclosed recipients:;\r\n"
        b"From: second@evil.example\r\n\r\n"
    )
    found = read_addresses(data)
    assert [box.address for box in found.authors] == ["pete@silly.example"]
    assert [(box.group, box.address) for box in found.to] == [
        ("A Group", "joe@where.test"),
        ("A Group", "jdoe@one.test"),
    ]
    assert found.cc == ()
    assert HeaderAddresses.from_json(found.to_json()) == found


def test_list_shows_raw_and_decoded_values_up_to_the_limit():
    data = b"Subject: =?utf-8?q?a=C3=B1o?=\r\nX: 1\r\n\r\n"
    listed = list_header(data)
    assert [(field.name, field.value) for field in listed.fields] == [
        ("Subject", "año"),
        ("X", "1"),
    ]
    assert not listed.truncated
    assert list_header(data, limits=Limits(header_fields=1)).truncated


@given(PIECES)
def test_any_octets_have_a_header_inside_the_data(data):
    fields_end, body = header_span(data)
    assert 0 <= fields_end <= body <= len(data)
    for field in list_header(data).fields:
        assert field.value.isprintable()
    found = read_addresses(data)
    assert HeaderAddresses.from_json(found.to_json()) == found
