"""The commands of one SMTP session (RFC 5321, section 4), with PIPELINING (RFC 2920).

A table of commands; each method checks its order and arguments and gives one reply. Errors are
counted and slowed here. Octets and time are `wire`, policy is asked through `handler`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import ClassVar

from mailcore.address import AddressError, split_path
from mailcore.delivery.inbound import Incoming
from mailcore.models.ids import uuid7
from mailcore.smtp.envelope import Envelope, ForwardPath, Peer
from mailcore.smtp.reply import Reply
from mailcore.smtp.spool import Spool
from mailcore.smtpd import handler, replies
from mailcore.smtpd.content import ContentDecoder
from mailcore.smtpd.parameters import (
    MAIL_KEYWORDS,
    MailParameters,
    ParameterError,
    mail_parameters,
    rcpt_parameters,
)
from mailcore.smtpd.wire import Hangup, TooLong, Wire
from mailcore.trace import Entry

log = logging.getLogger("mailcore.smtpd")

_Command = Callable[["Session", str], Awaitable[Reply | None]]

# What browsers, proxies and TLS clients say first; no mail client does.
_FOREIGN = re.compile(
    rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|TRACE|PROXY|SSH-2\.0-\S*) ?|\x16\x03"
)
_HELO_NAME = re.compile(r"[!#-'*+\-./0-9:=?A-Z\[\]^_`a-z{|}~]{1,255}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Refusals that say something about the mail, not about the client's manners.
_HARMLESS = frozenset({"5.1.1", "5.1.2", "5.1.10", "5.2.1", "5.2.2", "5.3.4", "5.4.6", "5.6.7"})
_UNKNOWN_USER = "5.1.1"
_OVERSIZE_S = 30.0


class Session(Wire):
    """A client's conversation, from greeting to QUIT. `submission` has a kind of its own."""

    commands: ClassVar[Mapping[bytes, _Command]]
    mail_keywords: ClassVar[frozenset[str]] = MAIL_KEYWORDS
    repairs_line_ends: ClassVar[bool] = False
    _is_over = False

    def __init_subclass__(cls) -> None:
        cls.commands = _commands(cls)

    def _start_over(self) -> None:
        """Forget the message under way (RSET, EHLO, end of DATA)."""
        self._reverse_path: str | None = None
        self._parameters = MailParameters()
        self._paths: list[ForwardPath] = []
        self._was_refused = False

    def _forget_client(self) -> None:
        """Forget what the client said of itself (start, STARTTLS)."""
        self._helo = ""
        self._is_esmtp = False
        self._start_over()

    def trace_id(self) -> uuid.UUID:
        """Return the id of the message under way; the first one has the connection's."""
        return self._trace_id

    # --- the conversation ---

    async def _handle_client(self) -> None:
        self.context.sessions.add(self)
        self._trace_id = self.connection_id
        self._error_count = self._junk_count = self._long_count = self._unknown_count = 0
        self._is_noted = False
        self._unwritten: tuple[Entry, ...] = ()
        self._forget_client()
        try:
            await self._greet()
            while True:
                await self._next_command()
        except Hangup:
            self.hang_up()
        except Exception:
            log.exception("smtpd.session_fault")
            self.say_last(Reply(421, "4.3.0", replies.OUR_FAULT.text))
        finally:
            self._write_behind()
            self._is_over = True
            if self.transport is None:
                self.context.sessions.discard(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the session; over TLS this comes long after its last word."""
        super().connection_lost(error)
        if self._is_over:
            self.context.sessions.discard(self)

    async def _greet(self) -> None:
        delay_s = min(self.context.limits.banner_delay_s, 1.0)
        exempt = self.context.clients.is_exempt(self.ip)
        await asyncio.sleep(0 if exempt else delay_s)
        if self._is_early:
            raise Hangup
        self._is_greeted = True
        await self.say(Reply(220, "", f"{self.context.hostname} ESMTP Casilla"))

    async def _next_command(self) -> None:
        if self.context.is_stopping:
            self._leave(replies.STOPPING)
        try:
            line = await self.read_line()
        except TooLong:
            self._long_count += 1
            reply: Reply | None = replies.LINE_TOO_LONG
            if self._long_count >= self.context.limits.long_lines:
                reply = replies.TOO_MANY_ERRORS
        else:
            if _FOREIGN.match(line) and not self._helo:
                raise Hangup
            reply = await self._obey(line)
        if reply is not None:
            await self._answer(reply)

    async def _obey(self, line: bytes) -> Reply | None:
        """Run one command; return its reply, or None when it has been said."""
        verb, _, octets = line[:-2].partition(b" ")
        command = self.commands.get(verb.upper())
        try:
            argument = octets.decode().strip(" ")
        except UnicodeDecodeError:
            return replies.BAD_SYNTAX
        if line[-2:] != b"\r\n" or (octets and _CONTROL.search(argument)):
            return replies.BAD_SYNTAX
        if command is None:
            return self._junk(replies.UNKNOWN_COMMAND)
        try:
            return await command(self, argument)
        except Hangup:
            raise
        except Exception:
            log.exception("smtpd.command_fault")
            self._start_over()
            return replies.OUR_FAULT

    async def _answer(self, reply: Reply) -> None:
        """Say a reply, after counting what it says about the client."""
        limits = self.context.limits
        if reply.enhanced == _UNKNOWN_USER:
            self._unknown_count += 1
            if self._unknown_count > limits.unknown_recipients:
                self._leave(replies.TOO_MANY_UNKNOWN)
        elif reply.code >= 500 and reply.enhanced not in _HARMLESS:
            self._error_count += 1
            if self._error_count >= limits.errors:
                self._leave(replies.TOO_MANY_ERRORS)
            if self._error_count >= limits.error_delay_from and limits.error_delay_s:
                await self.flush()
                await asyncio.sleep(limits.error_delay_s)
        if reply.code == 421:
            self._leave(reply)
        await self.say(reply)

    def _leave(self, reply: Reply) -> None:
        self.say_last(reply)
        raise Hangup

    def _junk(self, reply: Reply) -> Reply:
        """Count a command that brings no message nearer."""
        self._junk_count += 1
        return (
            replies.TOO_MUCH_JUNK if self._junk_count > self.context.limits.junk_commands else reply
        )

    def _refused(self, reply: Reply, *, forward: str = "") -> Reply:
        self._write_behind()
        self.note("refused", reply=str(reply), reverse=self._reverse_path or "", forward=forward)
        return reply

    def _write_behind(self) -> None:
        for entry in self._unwritten:
            self.context.note(entry)
        self._unwritten = ()

    # --- who is there ---

    async def smtp_HELO(self, argument: str) -> Reply:  # noqa: N802 - aiosmtpd's naming
        """RFC 5321, 4.1.1.1."""
        return self._hello(argument, esmtp=False) or Reply(250, "", self.context.hostname)

    async def smtp_EHLO(self, argument: str) -> Reply | None:  # noqa: N802
        """RFC 5321, 4.1.1.1: names only what works."""
        refusal = self._hello(argument, esmtp=True)
        if refusal is not None:
            return refusal
        await self.say_octets(self._extensions())
        return None

    def _hello(self, argument: str, *, esmtp: bool) -> Reply | None:
        if not _HELO_NAME.fullmatch(argument):
            return replies.BAD_ARGUMENT
        if not self._is_noted:
            self._is_noted = True
            # Goes with the first message into its transaction; without one it is written behind.
            self._unwritten = (self.event("connected"),)
        self._start_over()
        self._helo, self._is_esmtp = argument, esmtp
        return None

    def _extensions(self) -> bytes:
        limits = self.context.limits
        lines = [
            self.context.hostname,
            f"SIZE {limits.message_octets}",
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "DSN",
            "ENHANCEDSTATUSCODES",
            *(["STARTTLS"] if self.context.certificates and self.tls is None else []),
            *self._more_extensions(),
            f"LIMITS RCPTMAX={limits.recipients}",
        ]
        return "".join(f"250-{line}\r\n" for line in lines).encode() + b"250 HELP\r\n"

    def _more_extensions(self) -> list[str]:
        """Return what this kind of service offers beyond the others."""
        return []

    async def smtp_STARTTLS(self, argument: str) -> Reply | None:  # noqa: N802
        """RFC 3207: afterwards the session begins anew."""
        if argument:
            return replies.NO_ARGUMENT
        if self.tls is not None:
            return replies.TLS_ACTIVE
        if self.context.certificates is None:
            return replies.NOT_IMPLEMENTED
        await self.start_tls()
        self._forget_client()
        return None

    # --- a message ---

    async def smtp_MAIL(self, argument: str) -> Reply:  # noqa: N802
        """RFC 5321, 4.1.1.2."""
        if not self._helo:
            return replies.SAY_HELLO
        if self._reverse_path is not None:
            return replies.NESTED_MAIL
        try:
            path, rest = _path_after("FROM:", argument)
            parameters = mail_parameters(rest, keywords=self.mail_keywords)
        except AddressError:
            return replies.BAD_ARGUMENT
        except ParameterError as error:
            return error.reply
        if rest and not self._is_esmtp:
            return replies.NEEDS_ESMTP
        if not self.context.clients.may_send(self.ip):
            return self._refused(replies.MESSAGE_RATE)
        reply = handler.check_sender(
            self.context,
            reverse_path=path,
            declared_size=parameters.size,
            smtputf8=parameters.smtputf8,
        )
        if reply.code == 250 and self.context.check_sender is not None:
            reply = await handler.ask_about(self.context.check_sender(self, path), reply)
        if reply.code != 250:
            return self._refused(reply)
        self._reverse_path, self._parameters = path, parameters
        return reply

    async def smtp_RCPT(self, argument: str) -> Reply:  # noqa: N802
        """RFC 5321, 4.1.1.3."""
        if self._reverse_path is None:
            return replies.NO_SENDER if self._helo else replies.SAY_HELLO
        try:
            path, rest = _path_after("TO:", argument)
            parameters = rcpt_parameters(rest)
        except AddressError:
            return replies.BAD_ARGUMENT
        except ParameterError as error:
            return error.reply
        if rest and not self._is_esmtp:
            return replies.NEEDS_ESMTP
        reply = await self._judge_recipient(path)
        if reply.code != 250:
            self._was_refused = True
            return self._refused(reply, forward=path)
        self._paths.append(ForwardPath(path, parameters.notify, parameters.orcpt))
        return reply

    async def _judge_recipient(self, path: str) -> Reply:
        if len(self._paths) >= self.context.limits.recipients:
            return replies.TOO_MANY_RECIPIENTS
        if not self.context.clients.may_address(self.ip):
            return replies.RECIPIENT_RATE
        return await handler.check_recipient(
            self.context,
            forward_path=path,
            declared_size=self._parameters.size,
            smtputf8=self._parameters.smtputf8,
        )

    async def smtp_DATA(self, argument: str) -> Reply | None:  # noqa: N802
        """RFC 5321, 4.1.1.4."""
        if argument:
            return replies.NO_ARGUMENT
        if self._reverse_path is None:
            return replies.NO_SENDER if self._helo else replies.SAY_HELLO
        if not self._paths:
            return replies.NO_RECIPIENT
        await self.say(replies.GO_AHEAD)
        spool = Spool(directory=self.context.spool_dir)
        self.is_in_data = True
        try:
            decoder = await self._read_content(spool)
        except BaseException:
            spool.close()
            raise
        finally:
            self.is_in_data = False
        reply = await self._take_message(decoder, spool)
        if reply.code != 250:
            self._refused(reply)
        else:
            self._unwritten = ()
            self._junk_count = 0
            self.context.clients.remember(self.ip)
        self._start_over()
        self._trace_id = uuid7()
        return reply

    async def _read_content(self, spool: Spool) -> ContentDecoder:
        """Read up to the final dot. Raises Hangup when it never comes."""
        limits, now = self.context.limits, self.loop.time
        decoder = ContentDecoder(
            spool.write, limit=limits.message_octets, repairs=self.repairs_line_ends
        )
        window_ends, window_octets = now() + limits.data_rate_window_s, 0
        oversize_ends = 0.0
        while True:
            chunk = await self.read_chunk()
            rest = decoder.feed(chunk)
            if decoder.is_complete:
                self.give_back(rest)
                return decoder
            window_octets += len(chunk)
            if now() >= window_ends:
                if window_octets < limits.data_rate * limits.data_rate_window_s:
                    self._leave(replies.TOO_SLOW)
                window_ends, window_octets = now() + limits.data_rate_window_s, 0
            if decoder.is_too_large:
                oversize_ends = oversize_ends or now() + _OVERSIZE_S
                if decoder.size > 2 * limits.message_octets or now() > oversize_ends:
                    self._leave(self._refused(replies.TOO_LARGE))

    async def _take_message(self, decoder: ContentDecoder, spool: Spool) -> Reply:
        if decoder.is_too_large or decoder.has_bare:
            spool.close()
            return replies.TOO_LARGE if decoder.is_too_large else replies.BARE_LINE_ENDS
        if spool.fault is not None:
            log.error("smtpd.spool_fault", exc_info=spool.fault)
            spool.close()
            return replies.NO_ROOM
        return await handler.deliver(self.context, self._incoming(spool))

    def _incoming(self, spool: Spool) -> Incoming:
        parameters = self._parameters
        return Incoming(
            envelope=Envelope(
                reverse_path=self._reverse_path or "",
                forward_paths=tuple(self._paths),
                smtputf8=parameters.smtputf8,
                body_8bit=parameters.body_8bit,
                declared_size=parameters.size,
                ret=parameters.ret,
                envid=parameters.envid,
            ),
            content=spool,
            peer=Peer(self.ip, self.port, self._helo, self._is_esmtp, self.tls, self.connection_id),
            trace_id=self._trace_id,
            received_at=datetime.now(UTC),
            events=self._unwritten,
        )

    # --- the rest ---

    async def smtp_RSET(self, argument: str) -> Reply:  # noqa: N802
        """RFC 5321, 4.1.1.5."""
        if argument:
            return replies.NO_ARGUMENT
        self._start_over()
        return self._junk(replies.OK)

    async def smtp_NOOP(self, argument: str) -> Reply:  # noqa: N802
        """RFC 5321, 4.1.1.9: the argument is ignored."""
        return self._junk(replies.OK)

    async def smtp_HELP(self, argument: str) -> Reply:  # noqa: N802
        """RFC 5321, 4.1.1.8."""
        return self._junk(replies.HELP)

    async def smtp_VRFY(self, argument: str) -> Reply:  # noqa: N802
        """RFC 5321, 3.5.3: nobody is told who is here."""
        return self._junk(replies.CANNOT_VERIFY if argument else replies.BAD_ARGUMENT)

    async def smtp_EXPN(self, argument: str) -> Reply:  # noqa: N802
        """RFC 5321, 4.1.1.7."""
        return self._junk(replies.NOT_IMPLEMENTED)

    async def smtp_QUIT(self, argument: str) -> Reply | None:  # noqa: N802
        """RFC 5321, 4.1.1.10."""
        if argument:
            return replies.NO_ARGUMENT
        self.say_last(replies.BYE)
        raise Hangup

    def stop(self) -> None:
        """Say 421 to a client that is idle; one at work hears it after its reply."""
        if self.is_waiting and not self.is_in_data:
            self.say_last(replies.STOPPING)


def _commands(kind: type[Session]) -> dict[bytes, _Command]:
    """Return the commands of a kind of session; aiosmtpd's own are not among them."""
    kinds = [one for one in reversed(kind.__mro__) if issubclass(one, Session)]
    names = [name for one in kinds for name in vars(one) if name.startswith("smtp_")]
    return {name.removeprefix("smtp_").encode(): getattr(kind, name) for name in names}


Session.commands = _commands(Session)


def _path_after(keyword: str, argument: str) -> tuple[str, str]:
    """Return path and parameters of `FROM:<path> ...`. Raises AddressError."""
    if argument[: len(keyword)].upper() != keyword:
        return split_path("")
    return split_path(argument[len(keyword) :].lstrip(" "))
