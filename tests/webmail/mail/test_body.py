"""The document of the mail frame, files and signed images: policies, types, and who gets them."""

import re
from base64 import b64encode
from uuid import uuid4

import pytest
from django.core import signing

from mailcore.html.document import FRAME_SCRIPT_HASH
from tests.support.mail_builders import derive_all, store
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import message_url

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
HTML = b"<p>Hi <b>Alice</b><img src='cid:pic@x'><img src='https://t.example/p.gif'><script>x()</script>"
FILE_POLICY = "default-src 'none'; sandbox"
BODY_POLICY = (
    "default-src 'none'; img-src http://testserver/u/ data:; style-src 'unsafe-inline'; "
    f"script-src '{FRAME_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox"
)


def _part(head: bytes, content: bytes) -> bytes:
    return b"--b\r\n" + head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b64encode(content)


def _rich(*parts: bytes) -> bytes:
    head = b"From: a@x.test\r\nTo: b@y.test\r\nSubject: Rich\r\nMIME-Version: 1.0\r\n"
    kind = b'Content-Type: multipart/related; boundary="b"\r\n\r\n'
    return head + kind + b"\r\n".join(parts) + b"\r\n--b--\r\n"


@pytest.fixture
def rich(alice):
    """A message with HTML, an image shown in it, and an attachment that lies about itself."""
    raw = _rich(
        _part(b"Content-Type: text/html; charset=utf-8", HTML),
        _part(b"Content-Type: image/png\r\nContent-ID: <pic@x>", PNG),
        _part(
            b"Content-Type: image/png\r\n"
            b'Content-Disposition: attachment; filename="../a\xc3\xb1.svg"',
            b"<svg onload=alert(1)>",
        ),
    )
    public_id = store(raw, mailbox=alice.mailbox)[0]
    derive_all()
    return public_id


def test_the_body_is_a_document_with_its_own_policy(web, alice, rich):
    response = web.get(message_url(alice, rich, "body"))
    assert response["Content-Security-Policy"] == BODY_POLICY
    assert "X-Frame-Options" not in response
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Content-Type-Options"] == "nosniff"
    page = response.content.decode()
    assert "<b>Alice</b>" in page
    assert "x()" not in page
    assert "t.example" not in page


def test_the_body_is_only_for_frames(web, alice, rich):
    url = message_url(alice, rich, "body")
    assert web.get(url, headers={"Sec-Fetch-Dest": "document"}).status_code == 403
    assert web.get(url, headers={"Sec-Fetch-Dest": "iframe"}).status_code == 200


def test_the_body_is_unchanged_until_the_theme_changes(web, alice, rich):
    url = message_url(alice, rich, "body")
    tag = web.get(url)["ETag"]
    assert web.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert web.get(url + "?theme=dark", headers={"If-None-Match": tag}).status_code == 200


def test_an_image_comes_by_its_signed_address_without_a_cookie(web, client, alice, rich):
    page = web.get(message_url(alice, rich, "body")).content.decode()
    address = re.search(r'src="(/u/[^"]+)"', page)
    assert address is not None
    response = client.get(address[1])
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Content-Security-Policy"] == FILE_POLICY
    assert not response.cookies


def test_a_forged_or_foreign_address_is_404(client, alice, mallory, rich):
    assert client.get("/u/nonsense/").status_code == 404
    foreign = [mallory.user.pk, alice.box.hex, rich.hex, "2"]
    token = signing.dumps(foreign, salt="webmail.mail.image")
    assert client.get(f"/u/{token}/").status_code == 404
    own = [alice.user.pk, alice.box.hex, rich.hex, "2"]
    assert client.get(f"/u/{signing.dumps(own, salt='other')}/").status_code == 404


def test_an_old_address_is_404(client, alice, rich, monkeypatch):
    token = signing.dumps([alice.user.pk, alice.box.hex, rich.hex, "2"], salt="webmail.mail.image")
    monkeypatch.setattr("webmail.mail.signed.LIFETIME_S", -1)
    assert client.get(f"/u/{token}/").status_code == 404


def test_only_images_come_by_signed_address(client, alice, rich):
    token = signing.dumps([alice.user.pk, alice.box.hex, rich.hex, "3"], salt="webmail.mail.image")
    assert client.get(f"/u/{token}/").status_code == 404


def test_an_attachment_is_a_download_with_the_type_of_its_octets(web, alice, rich):
    response = web.get(message_url(alice, rich, "part", "3"))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment;")
    assert ".." not in response["Content-Disposition"]
    assert response["Content-Security-Policy"] == FILE_POLICY
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.content == b"<svg onload=alert(1)>"


def test_a_part_that_is_not_there_is_404(web, alice, rich):
    assert web.get(message_url(alice, rich, "part", "9")).status_code == 404
    assert web.get(message_url(alice, uuid4(), "body")).status_code == 404


def test_source_headers_and_file(web, alice, rich):
    source = web.get(message_url(alice, rich, "source")).content.decode()
    assert "Subject: Rich" in source
    headers = web.get(message_url(alice, rich, "headers")).content.decode()
    assert "MIME-Version" in headers
    raw = web.get(message_url(alice, rich, "raw"))
    assert raw["Content-Type"] == "message/rfc822"
    assert raw["Content-Security-Policy"] == FILE_POLICY
    assert b"Subject: Rich" in raw.content


def test_the_way_of_a_message_is_told_with_its_delays(web, alice):
    way = (
        b"Received: from <script>x()</script> by mx.y.test; 21 Nov 2026 10:00:05 +0000\r\n"
        b"Received: by mx.x.test; 21 Nov 2026 09:58:00 +0000\r\n"
    )
    mail = store(way + _rich(_part(b"Content-Type: text/plain", b"Hi")), mailbox=alice.mailbox)[0]
    page = web.get(message_url(alice, mail, "headers")).content.decode()
    assert "2 min 5 s" in page
    assert "<script>x()" not in page


def test_print_is_one_document_with_the_policy_of_bodies(web, alice, rich):
    response = web.get(message_url(alice, rich, "print"), headers={"Sec-Fetch-Dest": "document"})
    assert response["Content-Security-Policy"] == BODY_POLICY
    assert b"<h1>Rich</h1>" in response.content


ROUTES = [
    ("body", ()),
    ("source", ()),
    ("headers", ()),
    ("raw", ()),
    ("print", ()),
    ("part", ("1",)),
]


@pytest.mark.parametrize(("name", "more"), ROUTES)
def test_nobody_signs_in_strangers_get_404_and_post_is_405(
    client, client_of, web, alice, mallory, name, more
):
    url = message_url(alice, deliver(alice)[0], name, *more)
    assert client.get(url).status_code == 302
    stranger = client_of(mallory)
    assert stranger.get(url).status_code == 404
    assert stranger.get(url.replace(str(alice.box), str(mallory.box))).status_code == 404
    assert web.post(url).status_code == 405


@pytest.mark.parametrize(("name", "more"), ROUTES)
def test_a_reader_may_see_and_download(reader, alice, name, more):
    assert reader.get(message_url(alice, deliver(alice)[0], name, *more)).status_code == 200
