"""One SMTP connection: octets in, replies out, time limits, TLS (RFC 5321, 4.5.3.2; RFC 3207).

The part of aiosmtpd that we keep is its place in asyncio. Its constructor inspects the handler
for every connection, and its reader keeps every line as an object: both are replaced here.
Commands are `protocol`.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime
from typing import Any, cast

from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Session as WireSession

from mailcore.models.ids import uuid7
from mailcore.smtp.envelope import TlsInfo
from mailcore.smtp.reply import Reply
from mailcore.smtpd import proxy, replies
from mailcore.smtpd.clients import is_in, plain_ip
from mailcore.smtpd.context import Context
from mailcore.trace import Entry

log = logging.getLogger("mailcore.smtpd")

_READER_OCTETS = 32 * 1024
_CHUNK_OCTETS = 64 * 1024
_OUT_OCTETS = 8 * 1024
_LINGER_S = 5.0
_HANDSHAKE_S = 30.0
_LOOK_EVERY_S = 10.0


class Hangup(Exception):  # noqa: N818 - an event, not a fault
    """The client has gone, or we have shown it the door: the session ends without a word."""


class TooLong(Exception):  # noqa: N818 - as above
    """A command line is longer than the limit; it has been read to its end."""


class Wire(SMTP):
    """Reads lines and chunks, collects replies, watches the clock. One task per connection."""

    def __init__(self, context: Context, *, peer: tuple[str, int] | None = None) -> None:
        """Make a session. `peer` is who is there when the socket's own peer is a proxy."""
        loop = context.loop
        # Not SMTP.__init__: see the module's docstring. What its methods use is set here.
        asyncio.StreamReaderProtocol.__init__(
            self,
            asyncio.StreamReader(limit=_READER_OCTETS, loop=loop),
            client_connected_cb=self._cb_client_connected,
            loop=loop,
        )
        self.context = context
        self.loop = loop
        self.transport: asyncio.Transport | None = None
        self.connection_id: uuid.UUID = uuid7()
        self.ip = ""
        self.port = 0
        self.tls: TlsInfo | None = None
        self.refusal = ""
        self._peer = peer
        self._header: bytearray | None = None
        self._is_counted = False
        self.is_waiting = False
        self.is_in_data = False
        self._pending = bytearray()
        self._out = bytearray()
        self._has_heard = False
        self._is_greeted = False
        self._is_early = False
        self._is_stalled = False
        self._since = self._deadline = 0.0
        self._ends = loop.time() + context.limits.session_timeout_s
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the client and start its session, or turn it away."""
        asyncio.StreamReaderProtocol.connection_made(self, transport)
        self.transport = cast(asyncio.Transport, transport)
        peer = self._peer or transport.get_extra_info("peername") or ("", 0)
        self.ip, self.port = plain_ip(peer[0]), peer[1]
        if self._peer is None and is_in(self.ip, self.context.proxies):
            self._header = bytearray()
            self.context.unknown.add(self)
            self._since = self.loop.time()
            self._set_timer(self.loop.time() + self.context.limits.proxy_silence_s)
        else:
            self._admit()

    def _admit(self) -> None:
        self.session = WireSession(self.loop)
        self.session.peer = self.ip
        self._header = None
        self.context.unknown.discard(self)
        self._is_counted = True
        self.refusal = self.context.clients.enter(self.ip)
        if self.refusal or self.context.is_stopping:
            busy = Reply(421, "4.3.2", f"Busy: {self.refusal}, try again later")
            self.say_last(busy if self.refusal else replies.STOPPING)
            return
        self._allow(self.context.limits.command_timeout_s)
        self._set_timer(self._due())
        self._task = self._handler_coroutine = self.loop.create_task(self._handle_client())

    def data_received(self, data: bytes) -> None:
        """Take octets. What comes before the greeting ends the connection."""
        if self._header is not None:
            self._take_header(data)
            return
        if not self._is_greeted:
            self._is_early = True
        asyncio.StreamReaderProtocol.data_received(self, data)

    def _take_header(self, data: bytes) -> None:
        """Learn from a proxy that we trust who is there; what follows at once is too early."""
        assert self._header is not None
        self._header += data
        try:
            header = proxy.parse(bytes(self._header))
        except proxy.NoHeader as error:
            self._refuse_header(str(error))
            return
        if header is None:
            return
        rest = bytes(self._header[header.octets :])
        if self._timer is not None:
            self._timer.cancel()
        if header.client is not None:
            self.ip, self.port = plain_ip(header.client[0]), header.client[1]
        self._admit()
        if rest:
            self.data_received(rest)

    def _refuse_header(self, why: str) -> None:
        log.warning("smtpd.proxy_refused", extra={"fields": {"peer": self.ip, "why": why}})
        self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Wake the session, which ends by itself: a commit under way is never cancelled."""
        self.context.unknown.discard(self)
        if self._is_counted:
            self.context.clients.leave(self.ip)
        if self._timer is not None:
            self._timer.cancel()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.transport = None

    def eof_received(self) -> bool | None:
        """Let a client that has said all it will still hear its replies."""
        if self._header is not None:
            self.abort()
        return asyncio.StreamReaderProtocol.eof_received(self)

    def pause_writing(self) -> None:
        """Note that the client does not read what we say."""
        self._is_stalled = True
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        self._is_stalled = False
        super().resume_writing()

    # --- time ---

    def _allow(self, seconds: float) -> None:
        self._since = self.loop.time()
        self._deadline = self._since + seconds

    def _due(self) -> float:
        """Return when patience ends; who waits has less of it once the server fills up."""
        due = min(self._deadline, self._ends)
        if self.is_waiting and not self.is_in_data:
            clients, limits = self.context.clients, self.context.limits
            due = min(due, self._since + limits.command_wait_s(clients.open_count))
        return due

    def _look_at_clock(self) -> None:
        """Close when the time is over; one timer per connection, moved lazily."""
        if self._header is not None:
            self._look_for_header()
            return
        now, due = self.loop.time(), self._due()
        if now >= due and self.is_waiting:
            self.say_last(replies.TOO_SLOW)
        elif now >= due and self._is_stalled:
            self.abort()
        else:
            # A session at work (a commit) is let finish, and looked at again in a second.
            self._set_timer(max(due, now + 1.0) if now >= due else due)

    def _look_for_header(self) -> None:
        """Take who said nothing for a client like any other; who began has a little longer."""
        limits = self.context.limits
        begun_s = self.loop.time() - self._since
        if not self._header:
            self._admit()
        elif begun_s >= limits.proxy_header_s:
            self._refuse_header("too slow")
        else:
            self._set_timer(self._since + limits.proxy_header_s)

    def _set_timer(self, due: float) -> None:
        soon = self.loop.time() + _LOOK_EVERY_S
        self._timer = self.loop.call_at(min(due, soon), self._look_at_clock)

    # --- octets in ---

    async def _fill(self, seconds: float) -> None:
        """Wait for octets, at most `seconds`; send what we have to say first. Raises Hangup."""
        await self.flush()
        self._allow(seconds)
        self.is_waiting = True
        try:
            data = await self._reader.read(_CHUNK_OCTETS)
        except ConnectionError as error:
            raise Hangup from error
        finally:
            self.is_waiting = False
        if not data or self.transport is None or self.transport.is_closing():
            raise Hangup
        self._has_heard = True
        self._pending += data

    async def read_line(self) -> bytes:
        """Return the next line with its line end. Raises TooLong, Hangup."""
        limit = self.context.limits.command_octets
        start = 0
        while (end := self._pending.find(b"\n", start)) < 0:
            if len(self._pending) > limit:
                await self._skip_line()
                raise TooLong
            start = len(self._pending)
            await self._fill(self.context.limits.command_wait_s(self.context.clients.open_count))
        line = bytes(self._pending[: end + 1])
        del self._pending[: end + 1]
        if len(line) > limit:
            raise TooLong
        return line

    async def _skip_line(self) -> None:
        while (end := self._pending.find(b"\n")) < 0:
            self._pending.clear()
            await self._fill(self.context.limits.command_wait_s(self.context.clients.open_count))
        del self._pending[: end + 1]

    async def read_chunk(self) -> bytes:
        """Return what has come of a message's content. Raises Hangup."""
        if not self._pending:
            await self._fill(self.context.limits.data_timeout_s)
        data = bytes(self._pending)
        self._pending.clear()
        return data

    def give_back(self, data: bytes) -> None:
        """Put what lies behind a message's end before whatever comes next."""
        self._pending[:0] = data

    # --- replies out ---

    async def say(self, reply: Reply) -> None:
        """Queue a reply; replies to pipelined commands leave together (RFC 2920)."""
        await self.say_octets(replies.on_wire(reply))

    async def say_octets(self, line: bytes) -> None:
        """Queue octets that are whole reply lines."""
        self._out += line
        if len(self._out) >= _OUT_OCTETS:
            await self.flush()

    async def flush(self) -> None:
        """Send what is queued. Raises Hangup when the client has gone."""
        if self.transport is None or self.transport.is_closing():
            raise Hangup
        if self._out:
            self.transport.write(bytes(self._out))
            self._out.clear()
        if self._is_stalled:
            try:
                await self._writer.drain()
            except ConnectionError as error:
                raise Hangup from error

    def say_last(self, reply: Reply) -> None:
        """Say a 421 (or 221) and close: aiosmtpd leaves the connection open."""
        if self.transport is None or self.transport.is_closing():
            return
        self.transport.write(bytes(self._out) + replies.on_wire(reply))
        self._out.clear()
        if reply.code == replies.STOPPING.code and self._has_heard:
            self.note("refused", reply=str(reply))
        self.hang_up()

    def hang_up(self) -> None:
        """Close after what was written has left, at the latest after five seconds."""
        if self.transport is not None:
            # Over TLS a second close would take asyncio's way to abort.
            if not self.transport.is_closing():
                self.transport.close()
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(_LINGER_S, self.abort)

    def abort(self) -> None:
        """Drop the connection."""
        if self.transport is not None:
            self.transport.abort()

    # --- TLS ---

    async def start_tls(self) -> None:
        """Turn the connection into TLS and forget all that came in plain text. Raises Hangup."""
        certificates, plain = self.context.certificates, self.transport
        if certificates is None or plain is None:
            raise Hangup
        await self.say(replies.START_TLS)
        await self.flush()
        self._forget_input()
        try:
            transport = await self.loop.start_tls(
                plain,
                self,
                certificates.context(),
                server_side=True,
                ssl_handshake_timeout=min(_HANDSHAKE_S, self.context.limits.command_timeout_s),
            )
        except (OSError, asyncio.CancelledError) as error:
            plain.abort()
            raise Hangup from error
        if transport is None:
            raise Hangup
        self._forget_input()
        self.transport = transport
        # What StreamWriter.start_tls does, and the reader, which it forgets.
        reader, writer = cast(Any, self._reader), cast(Any, self._writer)
        reader._transport = writer._transport = transport
        self._over_ssl = True
        cipher = transport.get_extra_info("cipher") or ("", "", 0)
        self.tls = TlsInfo(version=cipher[1], cipher=cipher[0])
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is not None:
            self.tls = TlsInfo(version=ssl_object.version() or "", cipher=cipher[0])

    def _forget_input(self) -> None:
        """Discard plain text (STARTTLS injection: CVE-2011-0411, CVE-2024-34083)."""
        self._pending.clear()
        reader = cast(Any, self._reader)
        reader._buffer.clear()
        reader._maybe_resume_transport()

    # --- trace ---

    def note(self, kind: str, *, reply: str = "", reverse: str = "", forward: str = "") -> None:
        """Write a trace event behind; only for clients that said something."""
        self.context.note(self.event(kind, reply=reply, reverse=reverse, forward=forward))

    def event(self, kind: str, *, reply: str = "", reverse: str = "", forward: str = "") -> Entry:
        """Return a trace event of this moment."""
        return Entry(
            trace_id=self.trace_id(),
            at=datetime.now(UTC),
            kind=kind,
            reverse_path=reverse,
            forward_path=forward,
            peer=self.ip,
            reply=reply,
        )

    def trace_id(self) -> uuid.UUID:
        """Return the id under which events of this moment are found."""
        return self.connection_id
