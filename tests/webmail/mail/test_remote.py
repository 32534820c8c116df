"""Remote images of a message: off until asked, then only by way of us; who is trusted, blocked."""

import hashlib
import re

import pytest
from django.core import signing
from django.utils import timezone

from mailcore.html.document import FRAME_SCRIPT_HASH
from mailcore.models.remote import RemoteImage
from mailcore.personal import senders
from tests.support.canary import Canary, picture
from tests.support.mail_builders import derive_all, store
from tests.webmail.mail.pages import message_url, thread_url
from webmail.mail import signed
from webmail.mail.views import remote

URL = "https://shop.example/a.png?x=1&y=ñ"
HTML = (
    f"<p>Sale</p><img src='{URL}'><img src='//shop.example/b.png'>"
    f"<img src='{URL}' width=1 height=1>"
)
POLICY = (
    "default-src 'none'; img-src http://testserver/u/ data:; style-src 'unsafe-inline'; "
    f"script-src '{FRAME_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox"
)
ASK = "3 remote images blocked"


def html_mail(html: str, *, sender: str = "Shop <news@shop.example>", head: str = "") -> bytes:
    return (
        f"From: {sender}\r\nTo: alice@crepes.test\r\nSubject: Sale\r\n{head}MIME-Version: 1.0\r\n"
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"{html}\r\n"
    ).encode()


@pytest.fixture
def shop(alice):
    public_id = store(html_mail(HTML), mailbox=alice.mailbox)[0]
    derive_all()
    return public_id


def cached(url: str = URL) -> bytes:
    """Put a picture into the cache, as if it had been fetched."""
    octets = picture()
    RemoteImage.objects.create(
        key=hashlib.sha256(url.encode()).digest(),
        content_type="image/png",
        size=len(octets),
        data=octets,
        fetched_at=timezone.now(),
    )
    return octets


def sources(page: str) -> list[str]:
    return re.findall(r'<img[^>]* src="([^"]*)"', page)


def test_images_are_off_until_asked_and_then_come_from_us_alone(web, alice, shop):
    url = message_url(alice, shop, "body")
    assert sources(web.get(url).content.decode()) == []
    response = web.get(url + "?images=1")
    found = sources(response.content.decode())
    assert len(found) == 2  # not the one that shows nothing
    assert all(source.startswith("/u/remote/") for source in found)
    assert "shop.example" not in response.content.decode()
    assert response["Content-Security-Policy"] == POLICY


def test_with_and_without_images_are_different_documents(web, alice, shop):
    url = message_url(alice, shop, "body")
    tag = web.get(url)["ETag"]
    assert web.get(url + "?images=1", headers={"If-None-Match": tag}).status_code == 200


def test_an_image_comes_without_a_cookie_as_we_drew_it(web, client, alice, shop):
    octets = cached()
    page = web.get(message_url(alice, shop, "body") + "?images=1").content.decode()
    response = client.get(sources(page)[0])
    assert (response.status_code, response.content) == (200, octets)
    assert response["Content-Type"] == "image/png"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not response.cookies


def test_no_forged_old_or_foreign_address_brings_an_image(client, alice, monkeypatch):
    cached()
    assert client.get("/u/remote/forged/").status_code == 404
    token = signing.dumps([alice.user.pk, URL], salt="webmail.mail.image")
    assert client.get(f"/u/remote/{token}/").status_code == 404
    good = signed.remote_url(user_pk=alice.user.pk, url=URL)
    assert client.get(good).status_code == 200
    assert client.post(good).status_code == 405
    monkeypatch.setattr(signed, "LIFETIME_S", -1)
    assert client.get(good).status_code == 404


def test_who_asks_too_fast_waits(client, alice, monkeypatch):
    cached()
    monkeypatch.setattr(remote, "PER_MINUTE", 2)
    url = signed.remote_url(user_pk=alice.user.pk, url=URL)
    assert [client.get(url).status_code for _ in range(3)][-1] == 429


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "localhost"])
def test_a_message_cannot_make_us_call_ourselves(client, alice, host):
    with Canary() as canary:
        url = signed.remote_url(user_pk=alice.user.pk, url=f"http://{host}:{canary.port}/a.png")
        assert client.get(url).status_code == 404
        assert canary.connections == 0


def test_the_banner_offers_to_show_them_once(web, alice, shop):
    url = thread_url(alice, shop)
    page = web.get(url).content.decode()
    assert ASK in page
    assert f"images={shop}#m-{shop}" in page
    page = web.get(f"{url}&images={shop}").content.decode()
    assert ASK not in page
    assert "&amp;images=1" in page


def test_always_for_this_sender_lasts(web, alice, shop):
    url = thread_url(alice, shop)
    response = web.post(message_url(alice, shop, "sender"), {"trust": "", "next": url})
    assert (response.status_code, response["Location"]) == (303, url)
    page = web.get(url).content.decode()
    assert ASK not in page
    assert "&amp;images=1" in page
    web.post(message_url(alice, shop, "sender"), {"untrust": ""})
    assert ASK in web.get(url).content.decode()


def test_in_junk_a_trusted_address_shows_nothing(web, alice):
    public_id = store(html_mail(HTML), mailbox=alice.mailbox, role="junk")[0]
    derive_all()
    senders.trust(alice.user, "news@shop.example")
    page = web.get(thread_url(alice, public_id, role="junk")).content.decode()
    assert ASK in page
    assert 'name="trust"' not in page


def test_a_sender_is_blocked_and_unblocked_by_who_may_only_read_too(reader, bob, alice, shop):
    url = message_url(alice, shop, "sender")
    reader.post(url, {"block": ""})
    assert senders.list_blocked(bob.user) == ["news@shop.example"]
    assert senders.list_blocked(alice.user) == []
    reader.post(url, {"unblock": ""})
    assert senders.list_blocked(bob.user) == []


def test_what_is_no_verb_or_no_post_is_refused(web, client, client_of, mallory, alice, shop):
    url = message_url(alice, shop, "sender")
    assert web.post(url, {"delete": ""}).status_code == 400
    assert web.get(url).status_code == 405
    assert client.post(url, {"trust": ""}).status_code == 302
    assert client_of(mallory).post(url, {"trust": ""}).status_code == 404
    assert web.post(url, {"trust": "", "next": "https://evil.example/"})["Location"] == "/"
