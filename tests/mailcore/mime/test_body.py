import base64
import binascii

from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.body import decode_body
from mailcore.mime.params import parse_parameters
from mailcore.mime.snippet import preview
from mailcore.mime.structure import parse_structure


def _decoded(encoding: bytes, body: bytes, max_bytes: int = 10**7) -> bytes:
    data = b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body
    return decode_body(data, parse_structure(data).parts[0], max_bytes=max_bytes).content


@given(st.binary(max_size=300))
def test_encodings_round_trip(content):
    assert _decoded(b"base64", base64.encodebytes(content)) == content
    # As binary: in text mode the encoder makes all line ends like the first one.
    quoted = binascii.b2a_qp(content, quotetabs=True, istext=False)
    assert _decoded(b"quoted-printable", quoted) == content


def test_long_bodies_are_decoded_across_pieces():
    content = bytes(range(256)) * 4000
    assert _decoded(b"base64", base64.encodebytes(content)) == content
    assert _decoded(b"quoted-printable", b"=41=\r\n" * 200_000) == b"A" * 200_000
    assert _decoded(b"quoted-printable", b"=41" * 200_001) == b"A" * 200_001
    assert _decoded(b"base64", base64.encodebytes(content), max_bytes=10) == content[:10]


def test_groups_of_base64_and_uuencode_are_put_together():
    assert _decoded(b"base64", b"QQ==\r\nQg==") == b"AB"
    assert _decoded(b"x-uuencode", b"begin 644 x\r\n#0V%T\r\n`\r\nend\r\n") == b"Cat"


def test_parameters_of_rfc_2231():
    value = (
        "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20;"
        ' title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2="isn\'t it!"'
    )
    kind, params = parse_parameters(value)
    assert (kind, params) == (
        "application/x-stuff",
        {"title": "This is even more ***fun*** isn't it!"},
    )


def test_preview_skips_quotes_and_invisible_padding():
    text = "Sounds good.\u200c\u00ad\n\nOn Mon, Bob wrote:\n> old\n> older\n-- \nAlice"
    assert preview(text) == "Sounds good."
    assert len(preview("word " * 1000)) <= 200
    assert preview("> only a quote") == "only a quote"
