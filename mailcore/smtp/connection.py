"""One connection of the client: octets out, replies in, one clock (RFC 5321, 4.2 and 4.5.3.2).

An asyncio protocol without streams: a reply that has arrived costs no task switch, and one timer
serves all waits. Memory is bounded: reading stops when the peer sends more than was asked for.
What to say and what a reply means is for `opening` and `client`.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from typing import cast

from mailcore.errors import MailError
from mailcore.smtp.answers import Answers, BadAnswer, to_reply
from mailcore.smtp.dialogue import Dialogue
from mailcore.smtp.envelope import TlsInfo
from mailcore.smtp.reply import Reply

_PENDING_OCTETS = 128 * 1024
CLOSING = 421

Answer = tuple[int, list[bytes]]  # the code and the text of each line


class Broken(MailError):  # noqa: N818 - said of a connection
    """The connection is of no more use; `reply` (4yz) says why, in the peer's words or ours."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class Connection(asyncio.Protocol):
    """A connection to `peer`, a name for people: `mx.example[192.0.2.1]`."""

    def __init__(self, *, peer: str, dialogue: Dialogue) -> None:
        self.peer = peer
        self.tls: TlsInfo | None = None
        self._dialogue = dialogue
        self._loop = asyncio.get_running_loop()
        self._answers = Answers()
        self._transport: asyncio.Transport | None = None
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._loss = ""  # why the connection ended, as far as we know
        self._is_broken = False
        self._is_stalled = False
        self._is_reading = True
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take octets; stop reading when far more comes than anyone asked for."""
        self._answers.feed(data)
        if self._is_reading and self._answers.pending_octets > _PENDING_OCTETS:
            self._is_reading = False
            cast(asyncio.Transport, self._transport).pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Wake who waits."""
        self._loss = self._loss or (_reason(error) if error else "it closed the connection")
        if not self._lost.done():
            self._lost.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def pause_writing(self) -> None:
        """Note that the peer takes no more for now."""
        self._is_stalled = True

    def resume_writing(self) -> None:
        """Note that the peer takes octets again."""
        self._is_stalled = False
        self._wake()

    # --- state ---

    @property
    def is_open(self) -> bool:
        """Whether both sides are there and nothing lies unread."""
        return not self._is_gone and not self._answers.pending_octets

    @property
    def has_unread(self) -> bool:
        """Whether the peer said more than was read."""
        return self._answers.pending_octets > 0

    @property
    def _is_gone(self) -> bool:
        transport = self._transport
        return self._is_broken or self._lost.done() or transport is None or transport.is_closing()

    # --- octets out ---

    def write(self, octets: bytes | memoryview) -> None:
        """Send octets; those of a connection that is lost go nowhere, as the next wait tells."""
        if not self._is_gone:
            cast(asyncio.Transport, self._transport).write(octets)

    def say(self, lines: bytes, *, shown: bytes = b"") -> None:
        """Send whole command lines; `shown` is what people may see of them.

        Raises Broken when the peer has said something that nobody asked for.
        """
        if self.has_unread:
            self._refuse_unasked()
        self._dialogue.note("C", shown or lines)
        self.write(lines)

    async def drain(self, timeout_s: float) -> Reply | None:
        """Wait until the peer takes octets again, at most `timeout_s`. Raises Broken.

        Returns a refusal (4yz, 5yz) that came meanwhile, before the content had ended.
        """
        deadline = self._loop.time() + timeout_s
        while (refusal := self.early_refusal()) is None and self._is_stalled:
            await self._wait("the peer to take content", deadline)
        return refusal

    def _refuse_unasked(self) -> None:
        answer = self._next()
        if answer is not None and answer[0] >= 400:
            raise self.broken(to_reply(*answer))
        raise self.broken(self._fault("4.5.0", "it spoke without being asked"))

    # --- replies in ---

    async def answer(self, what: str, timeout_s: float) -> Answer:
        """Return the reply to `what`, whole within `timeout_s`.

        Raises Broken for a loss, a time-out, what is no reply, and 421 (RFC 5321, 3.8).
        """
        deadline = 0.0
        while (answer := self._next()) is None:
            deadline = deadline or self._loop.time() + timeout_s
            await self._wait(what, deadline)
        if answer[0] == CLOSING:
            raise self.broken(to_reply(*answer))
        return answer

    async def ask(self, line: bytes, timeout_s: float, *, shown: bytes = b"") -> Answer:
        """Send one command without its CRLF and return the reply. Raises Broken."""
        self.say(line + b"\r\n", shown=shown)
        return await self.answer((shown or line).decode("ascii", "replace")[:40], timeout_s)

    def _next(self) -> Answer | None:
        try:
            answer = self._answers.next()
        except BadAnswer as error:
            raise self.broken(self._fault("4.5.0", error.what)) from error
        if answer is not None:
            self._dialogue.note("S", bytes(self._answers.raw))
        if not self._is_reading and self._answers.pending_octets <= _PENDING_OCTETS:
            self._is_reading = True
            if not self._is_gone:
                cast(asyncio.Transport, self._transport).resume_reading()
        return answer

    def early_refusal(self) -> Reply | None:
        """Return a 4yz or 5yz that came before the content had ended, None if none did.

        Raises Broken for anything else that came.
        """
        answer = self._next() if self.has_unread else None
        if answer is None:
            return None
        reply = to_reply(*answer)
        if answer[0] < 400:
            reply = self._fault("4.5.0", "it answered before the end of the content")
        if answer[0] < 400 or answer[0] == CLOSING:
            raise self.broken(reply)
        return reply

    # --- time ---

    async def _wait(self, what: str, deadline: float) -> None:
        """Wait until anything happens. Raises Broken when nothing can, or not in time."""
        if self._is_broken or self._lost.done():
            raise self.broken(self._fault("4.4.2", f"{self._loss} (waiting for {what})"))
        if self._loop.time() >= deadline:
            raise self.broken(self._fault("4.4.2", f"no answer in time (waiting for {what})"))
        self._deadline = deadline
        timer = self._timer
        if timer is None or timer.when() > deadline:
            self._set_timer(deadline)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._deadline = math.inf

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._look_at_clock)

    def _look_at_clock(self) -> None:
        """Wake who waited too long; one timer, moved lazily."""
        self._timer = None
        if self._loop.time() >= self._deadline:
            self._wake()
        elif self._deadline < math.inf:
            self._set_timer(self._deadline)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- TLS ---

    async def start_tls(self, context: ssl.SSLContext, *, host: str, timeout_s: float) -> None:
        """Turn the connection into TLS.

        Raises OSError (ssl.SSLError and TimeoutError are such) and ValueError for a host name
        that TLS cannot carry; the connection is aborted then.
        """
        plain = cast(asyncio.Transport, self._transport)
        try:
            async with asyncio.timeout(timeout_s + 1):
                transport = await self._loop.start_tls(
                    plain,
                    self,
                    context,
                    server_hostname=host,
                    ssl_handshake_timeout=timeout_s,
                    ssl_shutdown_timeout=1.0,
                )
        except BaseException:
            self.abort()
            raise
        if transport is None:
            self.abort()
            raise ConnectionAbortedError("the connection was lost in the TLS handshake")
        self._transport = transport
        ssl_object = transport.get_extra_info("ssl_object")
        cipher = ssl_object.cipher() or ("", "", 0)
        self.tls = TlsInfo(version=ssl_object.version() or "", cipher=cipher[0])

    # --- the end ---

    def _fault(self, enhanced: str, why: str) -> Reply:
        return Reply(451, enhanced, f"{self.peer}: {why}")

    def broken(self, reply: Reply) -> Broken:
        """Drop the connection and return the exception that says why."""
        self._dialogue.note("--", str(reply).encode())
        self.abort()
        return Broken(reply)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._is_broken = True
        if self._transport is not None:
            self._transport.abort()

    async def close(self, timeout_s: float) -> None:
        """Close in order, at the latest after `timeout_s`."""
        self._is_broken = True
        if self._transport is not None and not self._lost.done():
            self._transport.close()
            await asyncio.wait([self._lost], timeout=timeout_s)
            self._transport.abort()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
