"""Attachments: cards, previews, pages, the zip, a message in a message, also hostile ones."""

import io
import zipfile
from base64 import b64encode

import pytest

from mailcore.html.document import FRAME_SCRIPT_HASH
from mailcore.models.message import Message
from tests.support.canary import picture
from tests.support.mail_builders import derive_all, store
from tests.webmail.mail.pages import message_url, thread_url

FILE_POLICY = "default-src 'none'; sandbox"
PDF_POLICY = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
)
BODY_POLICY = (
    "default-src 'none'; img-src http://testserver/u/ data:; style-src 'unsafe-inline'; "
    f"script-src '{FRAME_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox"
)
HEAD = b"From: Ana <ana@x.test>\r\nTo: b@y.test\r\nMIME-Version: 1.0\r\n"
INNER = (
    HEAD + b"Subject: Inner <b>\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
    b"--i\r\nContent-Type: text/html\r\n\r\n<p>Hi</p><script>x()</script>"
    b"<img src=https://t.example/a.png>\r\n"
    b"--i\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=deep.txt\r\n\r\n"
    b"deep\r\n--i--\r\n"
)
ICS = b"""BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
SUMMARY:<img src=x onerror=alert(1)> Lunch
DTSTART:20261124T130000Z
LOCATION:<script>alert(2)</script>
ORGANIZER;CN="<b>Eve</b>":mailto:eve@x.test
END:VEVENT
END:VCALENDAR
"""


def part(kind: str, content: bytes, name: str = "", *, plain: bool = False) -> bytes:
    file = f'\r\nContent-Disposition: attachment; filename="{name}"' if name else ""
    coding = "" if plain else "\r\nContent-Transfer-Encoding: base64"
    head = f"--b\r\nContent-Type: {kind}{file}{coding}\r\n\r\n".encode()
    return head + (content if plain else b64encode(content)) + b"\r\n"


def mixed(alice, *parts: bytes):
    raw = HEAD + b'Subject: Files\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    text = part("text/plain", b"See the files.")
    public_id = store(raw + text + b"".join(parts) + b"--b--\r\n", mailbox=alice.mailbox)[0]
    derive_all()
    return public_id


def test_a_picture_has_a_preview_that_we_drew_and_a_page(web, alice):
    mail = mixed(alice, part("image/png", picture("PNG", (900, 600)), "a.png"))
    assert "/part/2/preview/" in web.get(thread_url(alice, mail)).content.decode()
    response = web.get(message_url(alice, mail, "preview", "2"))
    assert response["Content-Type"] == "image/png"
    assert response["Content-Security-Policy"] == FILE_POLICY
    assert len(response.content) < len(picture("PNG", (900, 600)))
    assert "?inline=1" in web.get(message_url(alice, mail, "file", "2")).content.decode()
    inline = web.get(message_url(alice, mail, "part", "2") + "?inline=1")
    assert inline["Content-Disposition"].startswith("inline")
    assert inline["Content-Security-Policy"] == FILE_POLICY


def test_what_only_claims_to_be_a_picture_or_pdf_is_a_download(web, alice):
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    mail = mixed(
        alice,
        part("image/png", svg, "a.png"),
        part("application/pdf", b"<html><script>alert(1)</script>", "a.pdf"),
        part("image/svg+xml", svg, "a.svg"),
        part("text/html", b"<script>alert(1)</script>", "a.html"),
    )
    assert web.get(message_url(alice, mail, "preview", "2")).status_code == 404
    for number in "2345":
        response = web.get(message_url(alice, mail, "part", number) + "?inline=1")
        assert response["Content-Type"] == "application/octet-stream"
        assert response["Content-Disposition"].startswith("attachment")
        assert response["Content-Security-Policy"] == FILE_POLICY
    assert web.get(message_url(alice, mail, "file", "3")).status_code == 404
    assert web.get(message_url(alice, mail, "file", "4")).status_code == 404
    page = web.get(message_url(alice, mail, "file", "5")).content.decode()
    assert "&lt;script&gt;alert(1)" in page


def test_a_pdf_opens_in_a_window_of_its_own(web, alice):
    mail = mixed(alice, part("application/pdf", b"%PDF-1.7\n", "a.pdf"))
    assert 'target="_blank"' in web.get(thread_url(alice, mail)).content.decode()
    response = web.get(message_url(alice, mail, "part", "2") + "?inline=1")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Security-Policy"] == PDF_POLICY
    assert response["X-Content-Type-Options"] == "nosniff"


def test_all_come_as_one_zip_with_safe_names_none_twice(web, alice):
    mail = mixed(
        alice,
        part("text/plain", b"one", "../../a.txt"),
        part("text/plain", b"two", "A.txt"),
        part("application/x", b"three"),
    )
    response = web.get(message_url(alice, mail, "zip"))
    packed = zipfile.ZipFile(io.BytesIO(response.content))
    assert packed.namelist() == ["a.txt", "A (2).txt", "attachment-3"]
    assert [packed.read(name) for name in packed.namelist()] == [b"one", b"two", b"three"]
    assert response["Content-Security-Policy"] == FILE_POLICY
    assert response["Content-Disposition"].startswith("attachment")


def test_what_a_report_tells_programs_is_no_file_of_a_person(web, alice):
    status = part("message/delivery-status", b"Reporting-MTA: dns; mx.far.example\r\n", plain=True)
    header = part("text/rfc822-headers", b"Subject: Lunch\r\n", plain=True)
    mail = mixed(alice, status, header)
    page = web.get(thread_url(alice, mail)).content.decode()
    assert "Technical part of this report" in page
    assert "Delivery status" in page
    assert "attachments</h2>" not in page
    assert not Message.objects.get(public_id=mail).has_attachment
    assert web.get(message_url(alice, mail, "zip")).status_code == 404
    shown = web.get(message_url(alice, mail, "file", "2")).content.decode()
    assert "dns; mx.far.example" in shown
    mail = mixed(alice, status, part("text/csv", b"a,b", "list.csv"))
    page = web.get(thread_url(alice, mail)).content.decode()
    assert "1 attachment</h2>" in page
    assert "Technical part of this report" in page
    packed = zipfile.ZipFile(io.BytesIO(web.get(message_url(alice, mail, "zip")).content))
    assert packed.namelist() == ["list.csv"]


def test_a_message_in_a_message_has_the_same_defences(web, alice):
    mail = mixed(alice, part("message/rfc822", INNER, plain=True))
    page = web.get(message_url(alice, mail, "file", "2")).content.decode()
    assert "Inner &lt;b&gt;" in page
    assert "allow-same-origin" not in page
    assert "deep.txt" in page
    assert web.get(message_url(alice, mail, "part", "2.2")).content == b"deep"
    body = web.get(message_url(alice, mail, "part_body", "2"))
    assert body["Content-Security-Policy"] == BODY_POLICY
    assert b"<p>Hi</p>" in body.content
    assert b"x()" not in body.content
    assert b"t.example" not in body.content
    headers = {"Sec-Fetch-Dest": "document"}
    assert web.get(message_url(alice, mail, "part_body", "2"), headers=headers).status_code == 403


def test_a_hundred_messages_in_each_other_open_the_first(web, alice):
    nested = b"Subject: Bottom\r\n\r\nend"
    for _ in range(100):
        nested = b"Subject: In\r\nContent-Type: message/rfc822\r\n\r\n" + nested
    mail = mixed(alice, part("message/rfc822", nested, plain=True))
    assert web.get(message_url(alice, mail, "file", "2")).status_code == 200
    assert web.get(message_url(alice, mail, "part_body", "2")).status_code == 200


def test_an_invitation_is_a_card_of_text(web, alice):
    mail = mixed(alice, part("text/calendar; method=REQUEST", ICS, "invite.ics"))
    page = web.get(thread_url(alice, mail)).content.decode()
    assert "Lunch" in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 1
    assert "<img src=x" not in page
    assert "<script>alert(2)" not in page
    assert "<b>Eve" not in page
    assert "Lunch" in web.get(message_url(alice, mail, "file", "2")).content.decode()


@pytest.mark.parametrize("kind", ["application/ms-tnef", "text/x-vcard", "application/zip"])
def test_what_unpacks_or_runs_is_never_opened(web, alice, kind):
    mail = mixed(alice, part(kind, b"\x78\x9f\x3e\x22" + b"\0" * 100, "winmail.dat"))
    page = web.get(thread_url(alice, mail)).content.decode()
    assert "winmail.dat" in page
    response = web.get(message_url(alice, mail, "part", "2") + "?inline=1")
    assert response["Content-Type"] == "application/octet-stream"


ROUTES = [("file", ("2",)), ("preview", ("2",)), ("part_body", ("2",)), ("zip", ())]


@pytest.mark.parametrize(("name", "more"), ROUTES)
def test_strangers_find_nothing_and_nobody_posts(
    web, client, client_of, mallory, alice, name, more
):
    mail = mixed(alice, part("image/png", picture(), "a.png"))
    url = message_url(alice, mail, name, *more)
    assert client.get(url).status_code == 302
    assert client_of(mallory).get(url).status_code == 404
    assert web.post(url).status_code == 405
    if more:
        assert web.get(message_url(alice, mail, name, "77")).status_code == 404
