"""`check --deploy`: each mistake is named once, with a hint; a sound system has none of ours."""

from __future__ import annotations

import io
import ipaddress

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from mailcore.checks import ready_for_the_world
from mailcore.smtpd.tls import self_signed


@pytest.fixture
def sound(settings, tmp_path):
    """The settings of a system that may face the world."""
    certificate, key = self_signed(directory=tmp_path / "tls", hostname="mail.hamburger.org")
    settings.PUBLIC_URL = "https://mail.hamburger.org"
    settings.CASILLA_HOSTNAME = "mail.hamburger.org"
    settings.OUTBOUND_MODE = "direct"
    settings.REDIS_URL = "redis://127.0.0.1:6379/0"
    settings.SECRET_KEY = "abcdefgh" * 8
    settings.SECRETS_KEY = "hgfedcba" * 8
    settings.TLS_CERT, settings.TLS_KEY = str(certificate), str(key)
    settings.TRUSTED_PROXIES = (ipaddress.ip_network("172.30.0.2/32"),)
    settings.AUTH_PLAINTEXT_NETWORKS = ()
    settings.STYLEGUIDE = False
    settings.DISK_FREE_MIN = 0
    settings.EMBEDDED = True
    settings.DATA_DIR = tmp_path
    return settings


def found() -> list[str]:
    messages = ready_for_the_world()
    assert all(message.hint for message in messages)
    return [message.id or "" for message in messages]


def test_a_sound_system_is_clean(sound):
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PUBLIC_URL", "http://mail.hamburger.org", "mailcore.W010"),
        ("CASILLA_HOSTNAME", "localhost", "mailcore.W011"),
        ("CASILLA_HOSTNAME", "mail.localdomain", "mailcore.W011"),
        ("OUTBOUND_MODE", "capture", "mailcore.W012"),
        ("TLS_CERT", "", "mailcore.W014"),
        ("TLS_KEY", "/nowhere/key.pem", "mailcore.E013"),
        ("TRUSTED_PROXIES", (ipaddress.ip_network("0.0.0.0/0"),), "mailcore.W015"),
        ("AUTH_PLAINTEXT_NETWORKS", (ipaddress.ip_network("10.0.0.0/8"),), "mailcore.W016"),
        ("STYLEGUIDE", True, "mailcore.W017"),
        ("SECRETS_KEY", "short", "mailcore.E011"),
        ("SECRETS_KEY", "a" * 60, "mailcore.E011"),
        ("SECRETS_KEY", "abcdefgh" * 8, "mailcore.E012"),
    ],
)
def test_one_mistake_is_named(sound, name, value, expected):
    setattr(sound, name, value)
    assert found() == [expected]


def test_postgresql_without_redis_or_its_programs_is_named(sound, monkeypatch, tmp_path):
    sound.EMBEDDED = False
    sound.REDIS_URL = ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found() == ["mailcore.W013", "mailcore.W019"]


def test_a_disk_that_is_nearly_full_is_named(sound):
    sound.DISK_FREE_MIN = 2**60
    assert found() == ["mailcore.W018"]


def test_the_command_says_it_with_django_own_checks(sound):
    sound.SECRETS_KEY, sound.DEBUG = "short", True
    with pytest.raises(SystemCheckError) as caught:
        call_command("check", "--deploy", stdout=io.StringIO(), stderr=io.StringIO())
    said = str(caught.value)
    assert "(mailcore.E011) SECRETS_KEY is too short" in said
    assert "(security.W018)" in said
    assert "short\n" not in said.replace("too short", "")
