"""The SMTP client: one session with one host, several messages, a result per recipient.

RFC 5321 with PIPELINING (RFC 2920): one write for the envelope, one for the content. Never raises
for what a peer does in a transaction. Knows no queue, no DNS, no retries.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from mailcore import dial
from mailcore.smtp.answers import TEXT_CHARS, to_reply
from mailcore.smtp.connection import Answer, Broken, Connection
from mailcore.smtp.dialogue import Dialogue
from mailcore.smtp.envelope import TlsInfo
from mailcore.smtp.extensions import Extensions
from mailcore.smtp.opening import ConnectFailed, Login, Opening
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Delivered, Failed, Result
from mailcore.smtp.timeouts import Timeouts
from mailcore.smtp.tls import Tls
from mailcore.smtp.transaction import Plan, Transaction, Transcode, Unsendable, plan

__all__ = ["Client", "ConnectFailed", "Login", "Timeouts", "Tls", "Transaction"]

BeforeDot = Callable[[], Awaitable[bool]]
Recipient = tuple[int, bytes]  # index of the forward-path and its RCPT line

RECIPIENTS = 100  # a server must take as many (RFC 5321, 4.5.3.1.8)
_BLOCK_OCTETS = 256 * 1024
_LARGE_OCTETS = 2**20  # from here on, preparing content would hold up other sessions
_TOO_MANY = (452, 552)
_GO_AHEAD = 354
DATA = b"DATA\r\n"
GIVEN_UP = Reply(451, "4.3.0", "Given up before the end of the message")
NO_SESSION = Reply(451, "4.4.2", "The session had ended")


class Client:
    """An open session. Not for two tasks at a time."""

    def __init__(
        self,
        *,
        connection: Connection,
        extensions: Extensions,
        opening: Opening,
        transcode: Transcode | None = None,
    ) -> None:
        self.host = opening.host
        self.ip = opening.ip
        self.tls: TlsInfo | None = connection.tls
        self.tls_failure = opening.tls_failure
        self.extensions = extensions
        self.message_count = 0
        self._connection = connection
        self._timeouts = opening.timeouts
        self._dialogue = opening.dialogue
        self._transcode = transcode
        self._needs_reset = False

    @classmethod
    async def open(
        cls,
        *,
        host: str,
        ip: str,
        port: int,
        helo: str,
        allow: dial.Networks,
        tls: Tls = Tls.OPPORTUNISTIC,
        login: Login | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        transcode: Transcode | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> Client:
        """Connect to `ip` and go as far as MAIL: banner, EHLO, STARTTLS, AUTH.

        `host` is its name for TLS and people, `helo` ours. `transcode` makes 8-bit content 7-bit
        for peers without 8BITMIME. `trust` checks certificates; without it they are checked
        when there is a login, against the system's authorities. OPPORTUNISTIC TLS that breaks is
        followed by one connection in plain text. Raises ConnectFailed and dial.Forbidden.
        """
        opening = Opening(
            host=host,
            ip=ip,
            port=port,
            helo=helo,
            allow=allow,
            tls=tls,
            login=login,
            timeouts=timeouts,
            trust=trust,
            dialogue=Dialogue(),
        )
        try:
            connection, extensions = await opening.open()
        except ConnectFailed as failure:
            failure.dialogue = opening.dialogue.take()
            raise
        return cls(
            connection=connection, extensions=extensions, opening=opening, transcode=transcode
        )

    # --- state ---

    @property
    def is_usable(self) -> bool:
        """Whether another message may be tried on this session."""
        limit = self.extensions.message_limit
        return self._connection.is_open and (limit == 0 or self.message_count < limit)

    def take_dialogue(self) -> str:
        """Return what was said since the last call: at most 16 Ki characters, no content."""
        return self._dialogue.take()

    async def quit(self) -> None:
        """Say good-bye and close; takes a few seconds at most and never raises."""
        if self._connection.is_open:
            try:
                await self._connection.ask(b"QUIT", self._timeouts.quit_s)
            except Broken:
                return
        await self._connection.close(1.0)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._connection.abort()

    # --- one message ---

    async def send(
        self, transaction: Transaction, *, before_dot: BeforeDot | None = None
    ) -> tuple[Result, ...]:
        """Send a message; return what became of each forward-path, in their order.

        Recipients over the peer's number go in further transactions. `before_dot` is asked just
        before the final dot of each: when it says False the connection is dropped instead and
        all is Deferred. Raises nothing that is the peer's doing; what else is raised (also by
        `before_dot`) drops the connection.
        """
        results: dict[int, Result] = {}
        try:
            steps = await self._plan(transaction)
            results.update(steps.failed)
            await self._send_all(steps, results, before_dot)
            missing = Deferred(NO_SESSION)
        except Unsendable as error:
            return (Failed(error.reply),) * len(transaction.forward_paths)
        except Broken as broken:
            missing = Deferred(broken.reply)
        except BaseException:
            self.abort()
            raise
        count = len(transaction.forward_paths)
        return tuple(results.get(index, missing) for index in range(count))

    async def _plan(self, transaction: Transaction) -> Plan:
        if len(transaction.content) < _LARGE_OCTETS:
            return plan(transaction, self.extensions, self._transcode)
        return await asyncio.to_thread(plan, transaction, self.extensions, self._transcode)

    async def _send_all(
        self, steps: Plan, results: dict[int, Result], before_dot: BeforeDot | None
    ) -> None:
        """Bring the message to all recipients, in as many transactions as the peer needs.

        Each transaction settles its first recipient at least, so that this ends.
        """
        pending = steps.rcpt
        limit = min(RECIPIENTS, self.extensions.recipient_limit or RECIPIENTS)
        while pending and self.is_usable:
            self.message_count += 1
            batch = pending[:limit]
            for index, _ in batch:
                results.pop(index, None)
            accepted, postponed = await self._envelope(steps.mail, batch, results)
            if accepted:
                verdict = await self._content(steps.content, before_dot)
                results.update(dict.fromkeys(accepted, verdict))
            pending = postponed + pending[limit:]

    async def _envelope(
        self, mail: bytes, batch: list[Recipient], results: dict[int, Result]
    ) -> tuple[list[int], list[Recipient]]:
        """Go up to the 354; return the accepted recipients and those for another transaction.

        When there are accepted ones the peer waits for content. Refusals are in `results`.
        """
        times = self._timeouts
        reset = [b"RSET\r\n"] if self._needs_reset else []
        self._needs_reset = True  # until a final dot is answered
        if self.extensions.pipelining:
            self._connection.say(b"".join([*reset, mail, *(rcpt for _, rcpt in batch), DATA]))
        for line in reset:
            await self._ask(line, "RSET", times.mail_s)
        answer = await self._ask(mail, "MAIL", times.mail_s)
        if _is_yes(answer):
            accepted, postponed = await self._recipients(batch, results)
        else:
            results.update(dict.fromkeys((index for index, _ in batch), self._refusal(answer)))
            accepted, postponed = [], []
            if self.extensions.pipelining:
                await self._recipients(batch, {})
        if await self._data(accepted, results):
            return accepted, postponed
        return [], postponed

    async def _recipients(
        self, batch: list[Recipient], results: dict[int, Result]
    ) -> tuple[list[int], list[Recipient]]:
        """Name the recipients; return the accepted and the postponed ones."""
        accepted: list[int] = []
        postponed: list[Recipient] = []
        for index, line in batch:
            answer = await self._ask(line, "RCPT", self._timeouts.rcpt_s)
            if _is_yes(answer):
                accepted.append(index)
            elif accepted and _is_too_many(answer):
                results[index] = Deferred(Reply(452, "4.5.3", to_reply(*answer).text))
                postponed.append((index, line))
            else:
                results[index] = self._refusal(answer)
        return accepted, postponed

    async def _data(self, accepted: list[int], results: dict[int, Result]) -> bool:
        """Say DATA, or read what was answered to it; return whether content is due."""
        if not accepted and not self.extensions.pipelining:
            return False
        answer = await self._ask(DATA, "DATA", self._timeouts.data_s)
        if answer[0] == _GO_AHEAD and accepted:
            return True
        if answer[0] == _GO_AHEAD:
            # Nobody takes it, and yet content is awaited: end it (RFC 2920, 3.1).
            self._connection.say(b".\r\n")
            await self._connection.answer("a lone dot", self._timeouts.final_dot_s)
        elif accepted:
            results.update(dict.fromkeys(accepted, self._refusal(answer)))
        return False

    async def _content(self, content: bytes, before_dot: BeforeDot | None) -> Result:
        """Send content and final dot; return what the peer says to it. Raises Broken."""
        connection = self._connection
        self._dialogue.note("C", b"(%d octets of content)" % len(content))
        start, refusal = 0, None
        while len(content) - start > _BLOCK_OCTETS and refusal is None:
            connection.write(memoryview(content)[start : start + _BLOCK_OCTETS])
            refusal = await connection.drain(self._timeouts.block_s)
            start += _BLOCK_OCTETS
        if refusal is None and before_dot is not None and not await before_dot():
            raise connection.broken(GIVEN_UP)
        refusal = refusal or connection.early_refusal()
        if refusal is not None:
            # Only the dot could end the content in order, and it might send what was refused.
            self.abort()
            return _verdict(refusal)
        connection.write(b"".join((memoryview(content)[start:], b".\r\n")))
        answer = await connection.answer("the final dot", self._timeouts.final_dot_s)
        self._needs_reset = False
        return Delivered(to_reply(*answer)) if _is_yes(answer) else self._refusal(answer)

    async def _ask(self, line: bytes, what: str, timeout_s: float) -> Answer:
        """Return the reply to a command; with PIPELINING it was said already."""
        if not self.extensions.pipelining:
            self._connection.say(line)
        return await self._connection.answer(what, timeout_s)

    def _refusal(self, answer: Answer) -> Result:
        """Return the result that a 4yz or 5yz makes. Raises Broken for other codes."""
        reply = to_reply(*answer)
        if reply.code < 400:
            text = f"{self._connection.peer}: a reply that does not belong here: {reply}"
            raise self._connection.broken(Reply(451, "4.5.0", text[:TEXT_CHARS]))
        return _verdict(reply)


def _is_yes(answer: Answer) -> bool:
    return 200 <= answer[0] < 300


def _is_too_many(answer: Answer) -> bool:
    """Whether a later recipient may have a transaction of its own (RFC 5321, 4.5.3.1.10).

    Not when the reply is about that mailbox: X.2.2 is a full one (RFC 3463).
    """
    return answer[0] in _TOO_MANY and not to_reply(*answer).enhanced[1:].startswith(".2.")


def _verdict(reply: Reply) -> Result:
    return Deferred(reply) if reply.is_temporary else Failed(reply)
