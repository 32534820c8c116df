"""Static files leave in one piece, with what WhiteNoise decides about them."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(settings, tmp_path) -> Client:
    (tmp_path / "a.css").write_bytes(b"p { color: red }")
    settings.STATIC_ROOT = str(tmp_path)
    settings.WHITENOISE_AUTOREFRESH = True
    settings.WHITENOISE_USE_FINDERS = False
    return Client()


URL = f"/{settings.STATIC_URL.strip('/')}/a.css"


def test_a_file_is_answered_whole_and_not_streamed(client):
    response = client.get(URL)
    assert (response.status_code, response.content) == (200, b"p { color: red }")
    assert not response.streaming
    assert response.headers["Content-Type"].startswith("text/css")


def test_head_has_no_content_and_a_part_is_206(client):
    assert client.head(URL).content == b""
    part = client.get(URL, headers={"range": "bytes=0-2"})
    assert (part.status_code, part.content) == (206, b"p {")


def test_a_known_copy_is_304(client):
    tag = client.get(URL).headers["Last-Modified"]
    assert client.get(URL, headers={"if-modified-since": tag}).status_code == 304
