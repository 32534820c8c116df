"""The exchanges of AUTH PLAIN and LOGIN, line by line (RFC 4954; RFC 4616)."""

from __future__ import annotations

import asyncio
import base64

import pytest

from mailcore.smtpd import auth
from mailcore.smtpd.auth import AuthFailed, Login, exchange


def run(argument: str, *answers: bytes) -> tuple[object, list[bytes]]:
    """Return the login, or the reply of the refusal, and the challenges that were sent."""
    challenges: list[bytes] = []
    waiting = list(answers)

    async def ask(challenge: bytes) -> bytes:
        challenges.append(challenge)
        return waiting.pop(0)

    try:
        return asyncio.run(exchange(argument, ask)), challenges
    except AuthFailed as failed:
        return failed.reply, challenges


def b64(octets: bytes) -> bytes:
    return base64.b64encode(octets)


TIM = b64(b"\0tim\0tanstaaftanstaaf")  # RFC 4616, section 4
LOGIN = Login("tim", "tanstaaftanstaaf")


def test_plain_with_and_without_initial_response():
    assert run(f"PLAIN {TIM.decode()}") == (LOGIN, [])
    assert run("plain", TIM) == (LOGIN, [b""])


def test_login_asks_for_what_was_not_given():
    name, password = b64(b"tim"), b64(b"tanstaaftanstaaf")
    assert run("LOGIN", name, password) == (LOGIN, [b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6"])
    assert run(f"login {name.decode()}", password) == (LOGIN, [b"UGFzc3dvcmQ6"])


def test_words_of_all_languages_and_empty_ones_pass():
    assert run("PLAIN", b64("\0josé\0contraseña".encode()))[0] == Login("josé", "contraseña")
    assert run("LOGIN =", b"")[0] == Login("", "")


def test_who_acts_for_oneself_may():
    assert run("PLAIN", b64(b"Tim\0tim\0x"))[0] == Login("tim", "x")


@pytest.mark.parametrize(
    ("argument", "answers", "reply"),
    [
        ("", [], auth.MALFORMED),
        ("CRAM-MD5", [], auth.NOT_OFFERED),
        ("PLAIN *", [], auth.CANCELLED),
        ("PLAIN", [b"*"], auth.CANCELLED),
        ("LOGIN", [b"*"], auth.CANCELLED),
        ("LOGIN", [b64(b"tim"), b"*"], auth.CANCELLED),
        ("PLAIN", [b"not base64!"], auth.MALFORMED),
        ("PLAIN", [TIM[:-1]], auth.MALFORMED),
        ("PLAIN", [TIM + b"\r"], auth.MALFORMED),
        ("PLAIN", [b64(b"tim\0secret")], auth.MALFORMED),
        ("PLAIN", [b64(b"\0tim\0sec\0ret")], auth.MALFORMED),
        ("PLAIN", [b64(b"\0tim\0\xff")], auth.MALFORMED),
        ("PLAIN", [b64(b"root\0tim\0secret")], auth.DENIED),
        ("PLAIN =", [], auth.MALFORMED),
    ],
)
def test_what_is_no_exchange_is_refused(argument, answers, reply):
    assert run(argument, *answers)[0] == reply


def test_password_is_in_no_text_of_a_login():
    assert "tanstaaf" not in repr(LOGIN)
