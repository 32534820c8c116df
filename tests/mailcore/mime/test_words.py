import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.charset import decode
from mailcore.mime.words import decode_text, decode_value


@pytest.mark.parametrize(
    ("encoded", "text"),
    [  # RFC 2047, section 8
        ("=?ISO-8859-1?Q?a?=", "a"),
        ("=?ISO-8859-1?Q?a?= b", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a_b?=", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "ö"),
        ("=?utf-8?q?x=0D=0ABcc:_y?=", "x Bcc: y"),
    ],
)
def test_encoded_words(encoded, text):
    assert decode_text(encoded) == text


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (b"\x80", "us-ascii", "€"),
        ("é".encode(), "latin1", "é"),
        (b"\xe9", "utf-8", "é"),
        (b"\xe9", "idna", "é"),
        (b"+2AA-", "utf-7", "?"),
    ],
)
def test_lying_labels(data, label, text):
    assert decode(data, label) == text


@given(st.binary(max_size=200), st.sampled_from(["", "utf-7", "utf-16", "utf-32", "hz", "big5"]))
def test_any_octets_become_text_that_can_be_stored(data, label):
    assert decode(data, label).encode("utf-8").decode("utf-8") == decode(data, label)
    assert decode_value(data).isprintable() or "\n" not in decode_value(data)
