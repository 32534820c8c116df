"""AUTH PLAIN and AUTH LOGIN: how a client says who it is (RFC 4954; RFC 4616).

Leads the exchange and reads it; whether the password is right is `doorkeeper`'s. What a client
sent is in no error and in no log.
"""

from __future__ import annotations

import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mailcore.errors import MailError
from mailcore.smtp.reply import Reply

MECHANISMS = ("PLAIN", "LOGIN")
LINE_OCTETS = 12_288

REQUIRED = Reply(530, "5.7.0", "Sign in first")
TLS_REQUIRED = Reply(530, "5.7.0", "Send STARTTLS first")
NEEDS_TLS = Reply(538, "5.7.11", "Passwords are taken over TLS only")
SIGNED_IN = Reply(235, "2.7.0", "Signed in")
SIGNED_IN_ALREADY = Reply(503, "5.5.1", "You have signed in already")
NOT_NOW = Reply(503, "5.5.1", "AUTH is not possible while a message is under way")
NOT_OFFERED = Reply(504, "5.5.4", "That mechanism is not offered")
DENIED = Reply(535, "5.7.8", "Login or password is wrong")
BUSY = Reply(454, "4.7.0", "Too many are signing in, try again later")
FAULT = Reply(454, "4.7.0", "Signing in is not possible at the moment, try again later")
CANCELLED = Reply(501, "5.7.0", "Cancelled")
MALFORMED = Reply(501, "5.5.2", "That is not what the mechanism asks for")
TOO_LONG = Reply(500, "5.5.6", "The line is too long")

Ask = Callable[[bytes], Awaitable[bytes]]


class AuthFailed(MailError):  # noqa: N818 - named by what happened
    """The exchange came to nothing; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Login:
    """What a client claims to be and its proof, which is never shown."""

    name: str
    password: str = field(repr=False)


async def exchange(argument: str, ask: Ask) -> Login:
    """Lead the exchange that `AUTH argument` begins. Raises AuthFailed.

    `ask` sends a challenge and returns the client's line without its CRLF.
    """
    mechanism, _, initial = argument.partition(" ")
    match mechanism.upper():
        case "PLAIN":
            return _plain(await _response(initial, b"", ask))
        case "LOGIN":
            name = _text(await _response(initial, b"Username:", ask))
            return Login(name, _text(await _response("", b"Password:", ask)))
    raise AuthFailed(NOT_OFFERED if mechanism else MALFORMED)


async def _response(initial: str, challenge: bytes, ask: Ask) -> bytes:
    """Return the decoded initial response, or else the answer to the challenge."""
    if initial == "=":
        return b""
    line = initial.encode() if initial else await ask(binascii.b2a_base64(challenge, newline=False))
    if line == b"*":
        raise AuthFailed(CANCELLED)
    try:
        return binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error:
        raise AuthFailed(MALFORMED) from None


def _plain(message: bytes) -> Login:
    """Read `authzid NUL authcid NUL password` (RFC 4616). Nobody acts for another here."""
    parts = message.split(b"\0")
    if len(parts) != 3:
        raise AuthFailed(MALFORMED)
    acting_for, name, password = map(_text, parts)
    if acting_for and acting_for.casefold() != name.casefold():
        raise AuthFailed(DENIED)
    return Login(name, password)


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise AuthFailed(MALFORMED) from None
