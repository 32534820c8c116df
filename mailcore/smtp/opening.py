"""From the TCP connection to the first MAIL: banner, EHLO, STARTTLS, AUTH (RFC 5321, 3207, 4954).

All refusals here are temporary: another host of the same domain may be in a better mood, and a
wrong password of ours must not bounce anybody's mail.
"""

from __future__ import annotations

import base64
import errno
import os
import ssl
from dataclasses import dataclass, field

from mailcore import dial
from mailcore.errors import MailError
from mailcore.smtp.answers import TEXT_CHARS, to_reply
from mailcore.smtp.connection import CLOSING, Answer, Broken, Connection
from mailcore.smtp.dialogue import Dialogue
from mailcore.smtp.extensions import Extensions, parse_extensions
from mailcore.smtp.reply import Reply
from mailcore.smtp.timeouts import Timeouts
from mailcore.smtp.tls import Tls, checked_context, unchecked_context

# The fault of this machine or of its network, not of the host that we called.
_OUR_FAULTS = frozenset(
    {
        errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM,
        errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT,
    }
)  # fmt: skip


class ConnectFailed(MailError):  # noqa: N818 - what happened
    """No session came about. `reply` is 4yz; `blames_host`: leave the host alone for a while.

    `dialogue` is what was said until then, as of `Client.take_dialogue`.
    """

    def __init__(self, reply: Reply, *, blames_host: bool = True) -> None:
        super().__init__(str(reply))
        self.reply = reply
        self.blames_host = blames_host
        self.dialogue = ""


class _TlsBroken(MailError):  # noqa: N818 - said of TLS
    """STARTTLS was offered and did not work."""


@dataclass(frozen=True, slots=True)
class Login:
    """User and password of a smarthost."""

    user: str
    password: str = field(repr=False)


@dataclass(slots=True)
class Opening:
    """How to open one session; `tls_failure` says afterwards why there is no TLS."""

    host: str
    ip: str
    port: int
    helo: str
    allow: dial.Networks
    tls: Tls
    login: Login | None
    timeouts: Timeouts
    trust: ssl.SSLContext | None
    dialogue: Dialogue
    tls_failure: str = ""

    @property
    def peer(self) -> str:
        """The name of the host for people."""
        return f"{self.host}[{self.ip}]" if self.host != self.ip else self.ip

    async def open(self) -> tuple[Connection, Extensions]:
        """Return a session that takes MAIL. Raises ConnectFailed and dial.Forbidden."""
        try:
            return await self._try(self.tls)
        except _TlsBroken as broken:
            self.tls_failure = str(broken)
            self.dialogue.note("--", f"TLS failed: {broken}".encode())
        if self.tls is not Tls.OPPORTUNISTIC:
            raise self._failed("4.7.5", f"TLS failed: {self.tls_failure}")
        try:
            return await self._try(Tls.NONE)
        except _TlsBroken as broken:  # pragma: no cover - NONE starts no TLS
            raise self._failed("4.7.5", str(broken)) from broken

    def _failed(self, enhanced: str, why: str, *, blames_host: bool = True) -> ConnectFailed:
        reply = Reply(454, enhanced, f"{self.peer}: {why}"[:TEXT_CHARS])
        return ConnectFailed(reply, blames_host=blames_host)

    def _refused(self, answer: Answer, what: str) -> ConnectFailed:
        """Return the failure that a refusal makes: 4yz as it is, 5yz as a try at the next host."""
        reply = to_reply(*answer)
        if reply.is_temporary:
            return ConnectFailed(reply)
        text = f"{self.peer} refused {what}: {reply}"
        return ConnectFailed(Reply(450, "4.3.2", text[:TEXT_CHARS]))

    async def _try(self, tls: Tls) -> tuple[Connection, Extensions]:
        connection = await self._connect()
        try:
            if tls is Tls.IMPLICIT:
                await self._protect(connection)
            extensions = await self._greet(connection, tls)
            if self.login is not None:
                await self._log_in(connection, extensions, self.login, tls)
        except Broken as broken:
            raise ConnectFailed(broken.reply) from broken
        except BaseException:
            connection.abort()
            raise
        return connection, extensions

    async def _connect(self) -> Connection:
        def factory() -> Connection:
            return Connection(peer=self.peer, dialogue=self.dialogue)

        self.dialogue.note("--", f"connecting to {self.peer} port {self.port}".encode())
        try:
            _, connection = await dial.connect(
                factory,
                ip=self.ip,
                port=self.port,
                allow=self.allow,
                timeout_s=self.timeouts.connect_s,
            )
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else "no answer in time"
            reply = Reply(451, "4.4.1", f"{self.peer}: no connection: {why}"[:TEXT_CHARS])
            self.dialogue.note("--", str(reply).encode())
            raise ConnectFailed(reply, blames_host=error.errno not in _OUR_FAULTS) from error
        return connection

    async def _greet(self, connection: Connection, tls: Tls) -> Extensions:
        answer = await connection.answer("the banner", self.timeouts.banner_s)
        if answer[0] != 220:
            raise self._refused(answer, "the connection")
        extensions = await self._hello(connection)
        if tls in (Tls.NONE, Tls.IMPLICIT):
            return extensions
        if "STARTTLS" in extensions.offers:
            return await self._start_tls(connection, extensions, tls)
        if tls is Tls.REQUIRED:
            raise self._failed("4.7.10", "it does not offer STARTTLS, which is required")
        return extensions

    async def _hello(self, connection: Connection) -> Extensions:
        name = self.helo.encode("ascii", "replace")
        answer = await connection.ask(b"EHLO " + name, self.timeouts.ehlo_s)
        if answer[0] == 250:
            return parse_extensions(answer[1])
        if answer[0] >= 500:
            answer = await connection.ask(b"HELO " + name, self.timeouts.ehlo_s)
        if answer[0] != 250:
            raise self._refused(answer, "our hello")
        return Extensions()

    async def _start_tls(
        self, connection: Connection, extensions: Extensions, tls: Tls
    ) -> Extensions:
        try:
            answer = await connection.ask(b"STARTTLS", self.timeouts.ehlo_s)
        except Broken as broken:
            if broken.reply.code == CLOSING:
                raise
            raise _TlsBroken(broken.reply.text) from broken
        if answer[0] != 220 and tls is Tls.REQUIRED:
            raise self._failed("4.7.0", f"it refused STARTTLS: {to_reply(*answer)}")
        if answer[0] != 220:
            self.tls_failure = str(to_reply(*answer))
            return extensions
        if connection.has_unread:
            # Plain text that would be read as if it had come encrypted (CVE-2011-0411).
            reply = Reply(454, "4.7.0", f"{self.peer}: it sent plain text after STARTTLS")
            raise connection.broken(reply)
        await self._protect(connection)
        try:
            # What was offered in plain text counts no more (RFC 3207, 4.2).
            return await self._hello(connection)
        except Broken as broken:
            if broken.reply.code == CLOSING:
                raise
            raise _TlsBroken(broken.reply.text) from broken

    async def _protect(self, connection: Connection) -> None:
        context = self.trust
        if context is None:
            context = unchecked_context() if self.login is None else checked_context()
        try:
            name = self.host.rstrip(".")  # RFC 6066, 3: without the dot of the root
            await connection.start_tls(context, host=name, timeout_s=self.timeouts.tls_s)
        except (OSError, ValueError) as error:
            raise _TlsBroken(str(error) or type(error).__name__) from error

    async def _log_in(
        self, connection: Connection, extensions: Extensions, login: Login, tls: Tls
    ) -> None:
        if connection.tls is None and tls is not Tls.NONE:
            raise self._failed("4.7.10", "no TLS, and the login is not sent without it")
        user, password = login.user.encode(), login.password.encode()
        if "PLAIN" in extensions.mechanisms:
            steps = [(b"AUTH PLAIN", b"\0" + user + b"\0" + password)]
        elif "LOGIN" in extensions.mechanisms:
            steps = [(b"AUTH LOGIN", b""), (b"", user), (b"", password)]
        else:
            raise self._failed("4.7.0", "it offers no AUTH that we have (PLAIN, LOGIN)")
        for number, (command, secret) in enumerate(steps, start=1):
            line = b" ".join(part for part in (command, base64.b64encode(secret)) if part)
            shown = (command or b"AUTH") + (b" ***" if secret else b"")
            answer = await connection.ask(line, self.timeouts.ehlo_s, shown=shown)
            if answer[0] != (235 if number == len(steps) else 334):
                raise self._failed("4.7.8", f"it refused the login: {to_reply(*answer)}")
