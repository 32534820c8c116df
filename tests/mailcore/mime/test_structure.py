import json

from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.body import choose_body, decode_text
from mailcore.mime.limits import Limits
from mailcore.mime.structure import Structure, parse_structure

MESSAGE = (
    b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\n'
    b"preamble\r\n--outer\r\n"
    b"Content-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\n\r\nplain text\r\n"
    b"--inner\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
    b"\r\nPGI+aGk8L2I+\r\n--inner--\r\n\r\n--outer\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: x\r\n"
    b"Content-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\n\r\nnested\r\n--zz--\r\n--outer\r\n"
    b"Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=b.pdf\r\n\r\n%PDF\r\n"
    b"--outer--\r\nepilogue"
)


def _bodies(structure: Structure, data: bytes) -> dict[str, bytes]:
    return {p.number: data[p.body_offset : p.body_offset + p.size] for p in structure.parts}


def test_parts_are_numbered_as_imap_does_and_sliced_exactly():
    bodies = _bodies(parse_structure(MESSAGE), MESSAGE)
    assert list(bodies) == ["TEXT", "1", "1.1", "1.2", "2", "2.TEXT", "2.1", "3"]
    assert (bodies["1.1"], bodies["2.1"], bodies["3"]) == (b"plain text", b"nested", b"%PDF")


def test_reader_gets_each_alternative_and_the_attachments():
    choice = choose_body(parse_structure(MESSAGE))
    assert choice.text_part is not None
    assert choice.html_part is not None
    assert choice.text_part.number == "1.1"
    assert decode_text(MESSAGE, choice.html_part).text == "<b>hi</b>"
    assert [part.filename for part in choice.attachments] == ["", "a b.pdf"]
    assert choice.has_attachment


def test_json_round_trip_and_memoryview_agree():
    structure = parse_structure(MESSAGE)
    assert Structure.from_json(json.loads(json.dumps(structure.to_json()))) == structure
    assert parse_structure(memoryview(MESSAGE)) == structure


def test_missing_end_and_missing_header_are_read_to_the_end():
    data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nlast words"
    assert _bodies(parse_structure(data), data)["1"] == b"last words"
    assert _bodies(parse_structure(b"no header"), b"no header") == {"1": b"no header"}


def test_depth_and_parts_are_cut_off():
    limits = Limits(depth=2, parts=4)
    assert parse_structure(MESSAGE, limits=limits).truncated
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 9
    assert len(parse_structure(many, limits=limits).parts) == 4


@given(
    st.lists(
        st.sampled_from(
            [
                b"--b",
                b"--c",
                b"--",
                b"\r\n",
                b"\n",
                b"\r",
                b"x",
                b"\0",
                b"Content-Type: message/rfc822\r\n\r\n",
                b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
                b"Content-Type: multipart/digest; boundary=c",
            ]
        ),
        max_size=40,
    )
)
def test_any_mixture_stays_inside_the_message(pieces):
    data = b"".join(pieces)
    structure = parse_structure(data)
    assert len({part.number for part in structure.parts}) == len(structure.parts)
    for part in structure.parts:
        assert 0 <= part.offset <= part.body_offset + part.size <= len(data)
