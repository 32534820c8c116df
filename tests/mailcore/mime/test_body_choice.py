"""What a reader sees of real kinds of messages: body, pictures in it, attachments."""

import pytest

from mailcore.mime.body import BodyChoice, choose_body, decode_text
from mailcore.mime.structure import parse_structure

PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nhola"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>hola</p>"
PICTURE = b"Content-Type: image/png; name=a.png\r\nContent-ID: <a@x>\r\n\r\npng"
PDF = b"Content-Type: application/pdf; name=b.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF"


def multi(kind: str, *parts: bytes) -> bytes:
    """Return a multipart with a boundary of its own."""
    boundary = f"={kind}{sum(map(len, parts))}".encode()
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    head = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (kind.encode(), boundary)
    return head + body + b"--" + boundary + b"--\r\n"


def leaf(content_type: str, *header: str) -> bytes:
    return "\r\n".join([f"Content-Type: {content_type}", *header, "", "content"]).encode()


def seen(data: bytes) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return the types in the text body, the HTML body, inline and attached."""
    choice: BodyChoice = choose_body(parse_structure(data))
    sides = (choice.text, choice.html, choice.inline, choice.attachments)
    text, html, inline, attached = ([part.content_type for part in side] for side in sides)
    return text, html, inline, attached


P, H, PNG = "text/plain", "text/html", "image/png"
APPLE = multi("alternative", PLAIN, multi("mixed", HTML, PDF, HTML))
NO_CID = leaf("image/png; name=c.png")
INVITATION = multi("alternative", PLAIN, HTML, leaf("text/calendar; method=REQUEST"))
NOTES = "Content-Disposition: attachment; filename=notes.txt"
DSN = multi(
    "report; report-type=delivery-status",
    PLAIN,
    leaf("message/delivery-status"),
    leaf("text/rfc822-headers"),
)
TNEF, ICS, MESSAGE = "application/ms-tnef", "text/calendar", "message/rfc822"
STATUS = ["message/delivery-status", "text/rfc822-headers"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ([P], [P], [], [])),
        (b"\r\njust text", ([P], [P], [], [])),
        (HTML, ([H], [H], [], [])),
        (PICTURE, ([], [], [], [PNG])),
        (multi("related", HTML, PICTURE), ([H], [H], [PNG], [])),
        (multi("related", HTML, NO_CID), ([H], [H], [], [PNG])),
        (multi("related", HTML, PDF), ([H], [H], [], ["application/pdf"])),
        (
            multi("related", HTML, leaf("image/tiff", "Content-ID: <t@x>")),
            ([H], [H], [], ["image/tiff"]),
        ),
        (
            multi("alternative", PLAIN, multi("related", HTML, PICTURE)),
            ([P], [H], [PNG], []),
        ),
        (multi("mixed", PLAIN, PDF, PLAIN), ([P, P], [P, P], [], ["application/pdf"])),
        (multi("mixed", PLAIN, leaf("text/plain", NOTES)), ([P], [P], [], [P])),
        (
            multi("mixed", PLAIN, leaf("text/plain; name=log.txt", "Content-Disposition: inline")),
            ([P], [P], [], [P]),
        ),
        (APPLE, ([P], [H, H], [], ["application/pdf"])),
        (multi("mixed", PLAIN, leaf(TNEF, "")), ([P], [P], [], [TNEF])),
        (multi("mixed", PLAIN, leaf(MESSAGE) + b"\r\n\r\n" + PDF), ([P], [P], [], [MESSAGE])),
        (INVITATION, ([P], [H], [], [ICS])),
        (multi("alternative", PLAIN, leaf("text/x-amp-html"), HTML), ([P], [H], [], [])),
        (DSN, ([P], [P], [], STATUS)),
    ],
)
def test_reader_sees(data, expected):
    assert seen(data) == expected


@pytest.mark.parametrize("kind", ["application/pgp-signature", "application/pkcs7-signature"])
def test_signature_is_no_attachment(kind):
    choice = choose_body(parse_structure(multi("signed", PLAIN, leaf(f"{kind}; name=smime.p7s"))))
    assert choice.signature is not None
    assert choice.signature.content_type == kind
    assert not choice.has_attachment


def test_text_of_each_alternative_is_decoded():
    data = multi("alternative", PLAIN, multi("related", HTML, PICTURE))
    choice = choose_body(parse_structure(data))
    assert [decode_text(data, part).text for part in choice.text] == ["hola"]
    assert [decode_text(data, part).text for part in choice.html] == ["<p>hola</p>"]
