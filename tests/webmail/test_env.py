"""How passwords reach URLs, and how a broker's answer reaches a health check."""

import pytest
from celery.signals import heartbeat_sent

from webmail.celery import app
from webmail.env import listeners, web_address, with_password


@pytest.mark.parametrize(
    ("url", "password", "expected"),
    [
        ("postgres://casilla@db/casilla", "a/b@c\n", "postgres://casilla:a%2Fb%40c@db/casilla"),
        ("redis://redis:6379/0", "x:y", "redis://:x%3Ay@redis:6379/0"),
        ("postgres://u:own@db/x", "other", "postgres://u:own@db/x"),
        ("postgres:///local", "unused", "postgres:///local"),
        ("sqlite:////srv/x.sqlite3", "unused", "sqlite:////srv/x.sqlite3"),
        ("postgres://u@[2001:db8::1]:5433/x", "p", "postgres://u:p@[2001:db8::1]:5433/x"),
        ("redis://redis/0", " \n", "redis://redis/0"),
        ("", "unused", ""),
    ],
)
def test_a_password_of_its_own_file_gets_into_the_url(url, password, expected):
    assert with_password(url, password) == expected


def test_a_worker_that_reaches_the_broker_touches_its_file(settings, tmp_path):
    settings.ALIVE_FILE = str(tmp_path / "alive")
    heartbeat_sent.send(sender=app)
    assert (tmp_path / "alive").exists()


def test_without_a_file_nothing_is_touched(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings.ALIVE_FILE = ""
    heartbeat_sent.send(sender=app)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("listening", "url"),
    [
        ("127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("0.0.0.0:80,127.0.0.1:8000", "http://127.0.0.1:80"),
        ("[::]:8000", "http://127.0.0.1:8000"),
        ("[2001:db8::1]:8000", "http://[2001:db8::1]:8000"),
        ("mail.example:8000", "http://mail.example:8000"),
        ("", "http://127.0.0.1:8000"),
    ],
)
def test_without_a_public_url_people_find_the_first_listener(listening, url):
    assert web_address(listeners(listening)) == url
