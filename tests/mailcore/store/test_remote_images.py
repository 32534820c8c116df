"""store.remote_images: drawn anew in another process, kept for a week, bounded."""

from __future__ import annotations

import io
import ipaddress
from datetime import timedelta

import pytest
from PIL import Image

from mailcore.fetch.get import Rules
from mailcore.models.remote import RemoteImage
from mailcore.store import remote_images
from tests.support.canary import Canary, Names, ok, picture
from tests.support.deliveries import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def canary():
    with Canary() as running:
        yield running


def ask(canary: Canary, path: str = "/a", *, days: float = 0):
    return remote_images.remote_image(
        url=f"http://img.test:{canary.port}{path}",
        now=NOW + timedelta(days=days),
        rules=Rules(allow=(ipaddress.ip_network("127.0.0.1/32"),), ports=(canary.port,)),
        resolve=Names(img_test=[["127.0.0.1"]]),
    )


def test_a_picture_is_drawn_anew_without_what_else_it_carried(canary):
    file = picture("JPEG", exif=b"Exif\0\0secret", comment=b"secret") + b"<script>secret</script>"
    canary.answers["/a"] = ok(file)
    shown = ask(canary)
    assert shown.content_type == "image/jpeg"
    assert b"secret" not in shown.octets
    assert Image.open(io.BytesIO(shown.octets)).size == (8, 6)


@pytest.mark.parametrize(
    ("kind", "content_type"), [("PNG", "image/png"), ("GIF", "image/png"), ("WEBP", "image/jpeg")]
)
def test_the_type_is_what_was_drawn_not_what_the_server_said(canary, kind, content_type):
    canary.answers["/a"] = ok(picture(kind), "Content-Type: text/html")
    assert ask(canary).content_type == content_type


def test_an_animation_stays_one(canary):
    frames = [Image.new("RGB", (8, 6), (n * 60, 0, 0)) for n in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    canary.answers["/a"] = ok(out.getvalue())
    assert Image.open(io.BytesIO(ask(canary).octets)).n_frames == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "file",
    [
        b"", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<html>",
        b"\x89PNG\r\n\x1a\n", picture()[:-30], b"GIF89a<script>", b"RIFF\0\0\0\0WAVE",
        picture("BMP"), picture("TIFF"), b"%!PS-Adobe\n", b"P6 9 9 255\n" + bytes(243),
        picture("PNG", (5001, 5000)),
    ],
)  # fmt: skip
def test_what_is_no_picture_or_too_many_pixels_is_refused(canary, file):
    canary.answers["/a"] = ok(file, "Content-Type: image/png")
    assert ask(canary) is None


def test_a_picture_is_fetched_once_a_week(canary):
    canary.answers["/a"] = ok(picture())
    assert ask(canary) == ask(canary, days=6)
    assert canary.connections == 1
    assert ask(canary, days=8) is not None
    assert canary.connections == 2


def test_a_failure_is_tried_again_after_ten_minutes(canary):
    assert ask(canary) is None
    canary.answers["/a"] = ok(picture())
    assert ask(canary, days=9 / 1440) is None
    assert ask(canary, days=11 / 1440) is not None
    assert canary.connections == 2


def test_the_cache_is_swept_by_age_and_kept_small(canary, monkeypatch):
    for name in "abc":
        canary.answers[f"/{name}"] = ok(picture())
        ask(canary, f"/{name}")
    assert remote_images.sweep(now=NOW + timedelta(days=6)) == 0
    monkeypatch.setattr(remote_images, "CACHE_COUNT", 2)
    monkeypatch.setattr(remote_images, "DELETED_AT_ONCE", 1)
    assert remote_images.sweep(now=NOW) == 1
    assert remote_images.sweep(now=NOW + timedelta(days=7)) == 2
    assert not RemoteImage.objects.exists()


def test_a_preview_is_small():
    shown = remote_images.redrawn(picture("PNG", (1000, 500)), small=True)
    assert shown is not None
    assert Image.open(io.BytesIO(shown.octets)).size == (480, 240)
