"""Port 587 and 465: a session in which our own people send (RFC 6409; RFC 8314; RFC 4954).

Port 25's session with AUTH before MAIL, recipients anywhere, and line ends put right. Passwords
are taken over TLS only, or from AUTH_PLAINTEXT_NETWORKS; they are in no log and no trace. Who may
use which address is `delivery.submit`'s.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from mailcore import conf
from mailcore.delivery.inbound import Incoming
from mailcore.directory.credentials import Busy, Denied
from mailcore.smtp.envelope import TlsInfo
from mailcore.smtp.reply import Reply
from mailcore.smtp.spool import Spool
from mailcore.smtpd import auth, replies
from mailcore.smtpd.auth import AuthFailed, Login
from mailcore.smtpd.clients import is_in
from mailcore.smtpd.context import Context
from mailcore.smtpd.limits import Limits
from mailcore.smtpd.parameters import MAIL_KEYWORDS
from mailcore.smtpd.protocol import Session
from mailcore.smtpd.wire import TooLong

log = logging.getLogger("mailcore.smtpd")

_FAILURES_MAX = 3
_COMMAND_OCTETS = 2048
_RECIPIENTS = 1000
_UNCOUNTED = 10**9


def limits_of(relay: Limits) -> Limits:
    """Return the limits of submission: more recipients, longer lines for AUTH, no rates.

    Who sends here has signed in; guesses are limited by `directory.throttle`.
    """
    return replace(
        relay,
        recipients=_RECIPIENTS,
        command_octets=auth.LINE_OCTETS,
        messages_per_minute=_UNCOUNTED,
        recipients_per_minute=_UNCOUNTED,
        unknown_recipients=10 * relay.unknown_recipients,
    )


class SubmissionSession(Session):
    """The conversation of a client that signs in."""

    mail_keywords: ClassVar[frozenset[str]] = MAIL_KEYWORDS | {"AUTH"}  # RFC 4954, section 5
    repairs_line_ends: ClassVar[bool] = True

    def __init__(self, context: Context, *, peer: tuple[str, int] | None = None) -> None:
        super().__init__(context, peer=peer)
        self._failure_count = 0
        self._user_id: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the protection of a connection that had TLS from its first octet."""
        made = transport.get_extra_info("ssl_object")
        if made is not None:
            cipher = made.cipher() or ("", "", 0)
            self.tls = TlsInfo(version=made.version() or "", cipher=cipher[0])
        super().connection_made(transport)

    def _forget_client(self) -> None:
        super()._forget_client()
        self._user_id = None

    def _may_sign_in(self) -> bool:
        """Return whether a password may be sent over this connection."""
        if self.tls is not None:
            return True
        networks = conf.auth_plaintext_networks()
        return is_in(self.ip, networks)

    def _more_extensions(self) -> list[str]:
        return [f"AUTH {' '.join(auth.MECHANISMS)}"] if self._may_sign_in() else []

    async def _obey(self, line: bytes) -> Reply | None:
        """Keep commands as short as on port 25; only AUTH may be longer."""
        if len(line) > _COMMAND_OCTETS and line[:5].upper() != b"AUTH ":
            return replies.LINE_TOO_LONG
        return await super()._obey(line)

    async def smtp_AUTH(self, argument: str) -> Reply:  # noqa: N802 - aiosmtpd's naming
        """RFC 4954, section 4."""
        if not self._is_esmtp:
            return replies.SAY_HELLO
        if self._user_id is not None:
            return auth.SIGNED_IN_ALREADY
        if self._reverse_path is not None:
            return auth.NOT_NOW
        if not self._may_sign_in():
            return auth.NEEDS_TLS
        try:
            login = await auth.exchange(argument, self._ask)
        except AuthFailed as failed:
            reply = failed.reply
        else:
            reply = await self._sign_in(login)
        if reply.code == auth.SIGNED_IN.code:
            return reply
        return self._fail(reply)

    async def _ask(self, challenge: bytes) -> bytes:
        await self.say_octets(b"334 " + challenge + b"\r\n")
        try:
            line = await self.read_line()
        except TooLong:
            raise AuthFailed(auth.TOO_LONG) from None
        if line[-2:] != b"\r\n":
            raise AuthFailed(auth.MALFORMED)
        return line[:-2]

    async def _sign_in(self, login: Login) -> Reply:
        """Return the reply to a login, held back as long as the guesses before it demand."""
        doorkeeper = self.context.doorkeeper
        if doorkeeper is None:
            return auth.FAULT
        try:
            found = await doorkeeper.sign_in(login, peer_ip=self.ip)
        except Exception as error:  # the top of the adapter
            log.error("smtpd.sign_in_fault", exc_info=error)
            return auth.FAULT
        if isinstance(found, Busy):
            return auth.BUSY
        if isinstance(found, Denied):
            await self._hold_back(found.delay)
            return auth.DENIED
        self._user_id = found
        return auth.SIGNED_IN

    async def _hold_back(self, delay: timedelta) -> None:
        await asyncio.sleep(delay.total_seconds())

    def _fail(self, reply: Reply) -> Reply:
        """Count what did not sign in; the third wrong password ends the session."""
        self._refused(reply)
        if reply == auth.DENIED:
            self._failure_count += 1
            if self._failure_count >= _FAILURES_MAX:
                self._leave(reply)
        return reply

    async def smtp_MAIL(self, argument: str) -> Reply:  # noqa: N802
        """RFC 6409, 4.3 and 6.1: only who has signed in, and from own addresses."""
        if self._user_id is None:
            return auth.REQUIRED if self._may_sign_in() else auth.TLS_REQUIRED
        return await super().smtp_MAIL(argument)

    async def check_submitter(self, reverse_path: str) -> None:
        """Raise Refused unless who has signed in may send from `reverse_path`."""
        doorkeeper = self.context.doorkeeper
        if doorkeeper is None or self._user_id is None:
            raise RuntimeError("nobody has signed in")
        await doorkeeper.check_submitter(user_id=self._user_id, reverse_path=reverse_path)

    def _incoming(self, spool: Spool) -> Incoming:
        self._write_behind()  # a submission's own events are written by `delivery.submit`
        return replace(super()._incoming(spool), submitter_id=self._user_id)


async def check_sender(session: Session, reverse_path: str) -> None:
    """Ask about MAIL FROM of a submission. Raises Refused."""
    if isinstance(session, SubmissionSession):
        await session.check_submitter(reverse_path)
