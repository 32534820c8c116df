"""One connection of the fake mail host, and its certificate."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import re
import ssl
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailcore.smtpd.tls import self_signed
from tests.support.fake_mta_octets import Incoming, bare_line_ends, unstuff
from tests.support.fake_mta_script import (
    DEAF,
    DROP,
    ENDLESS,
    FLOOD,
    HANG,
    OK,
    OVERLONG,
    RESET,
    Act,
    Message,
    Step,
    Steps,
    Then,
    is_positive,
)

if TYPE_CHECKING:
    from tests.support.fake_mta import FakeMta

NAME = "mx.outside.example"
_NEEDS = {"BODY=8": "8BITMIME", "SMTPUTF8": "SMTPUTF8", "RET=": "DSN", "ENVID=": "DSN"}


class Over(Exception):  # noqa: N818
    """The session is at its end."""


class Session:
    def __init__(
        self,
        mta: FakeMta,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: int,
    ) -> None:
        self.mta = mta
        self.writer = writer
        self._incoming = Incoming(reader)
        self._number = number
        self._helo = ""
        self._login = ""
        self._is_tls = mta.script.implicit_tls
        self._is_extended = False
        self._message: Message | None = None
        self._message_count = 0
        self._verbs: dict[str, Callable[[str], Coroutine[Any, Any, None]]] = {
            "EHLO": self._ehlo, "HELO": self._hello, "STARTTLS": self._starttls,
            "AUTH": self._auth, "MAIL": self._mail, "RCPT": self._rcpt, "DATA": self._data,
            "RSET": self._rset, "QUIT": self._quit, "NOOP": self._noop,
        }  # fmt: skip

    async def run(self) -> None:
        """Talk until one side has enough."""
        await self._stage("banner", self.mta.script.banner, f"220 {self.mta.name} ESMTP")
        while line := await self._incoming.line():
            self.mta.commands.append(line)
            self._check_command(line)
            verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            await self._verbs.get(verb.upper(), self._unknown)(argument)

    def _violation(self, what: str) -> None:
        self.mta.violations.append(what)

    def _offers(self, keyword: str) -> bool:
        offered = {extension.split(" ")[0] for extension in self.mta.script.extensions}
        return self._is_extended and keyword in offered

    def _check_command(self, line: bytes) -> None:
        if bare_line_ends(line) or not line.endswith(b"\r\n"):
            self._violation(f"bare line end in a command: {line!r}")
        if not line.isascii() and not self._offers("SMTPUTF8"):
            self._violation(f"not ASCII: {line!r}")
        verb = line[:4].upper()
        if self._incoming.buffered and not self._offers("PIPELINING"):
            self._violation(f"pipelined without the offer: {line!r}")
        if self._incoming.buffered and verb in (b"DATA", b"EHLO", b"STAR", b"QUIT"):
            self._violation(f"went on without the reply to {line!r}")

    # --- saying ---

    async def _stage(self, stage: str, steps: Steps, usual: str) -> bool:
        """Do what the script has for a stage; return whether the usual reply was given."""
        step = self.mta.next_step(stage, steps)
        if step == OK:
            await self._send(f"{usual}\r\n".encode() if usual else b"")
            return True
        if isinstance(step, bytes):
            await self._send(step)
        elif isinstance(step, str):
            await self._send("".join(f"{line}\r\n" for line in step.splitlines()).encode())
        elif isinstance(step, Then):
            await self._send(f"{step.reply}\r\n".encode())
            await self._act(step.act)
        else:
            await self._act(step)
        return is_positive(step)

    async def _send(self, octets: bytes) -> None:
        await asyncio.sleep(0)  # under TLS, draining lets nobody else in
        if self.writer.transport.is_closing() or self._incoming.has_ended:
            raise Over
        self.writer.write(octets)
        await self.writer.drain()

    async def _act(self, act: Act) -> None:
        if act == DROP:
            self.writer.close()
            raise Over
        if act == RESET:
            raise Over
        if act == DEAF:
            await asyncio.sleep(10)
            raise Over
        if act == HANG:
            await self._incoming.until_closed()
            raise Over
        # A code that most stages take for a yes, so that only the length can be refused.
        endless = {ENDLESS: b"250-and so on\r\n", OVERLONG: b"250-and so on ", FLOOD: b"250 so\r\n"}
        block = endless[act] * 2000
        while True:
            await self._send(block)
            self.mta.sent_octets += len(block)

    # --- commands ---

    async def _unknown(self, argument: str) -> None:
        self._violation(f"unknown command, {argument!r}")
        await self._send(b"500 5.5.2 What?\r\n")

    async def _noop(self, argument: str) -> None:
        await self._send(b"250 2.0.0 Ok\r\n")

    async def _ehlo(self, argument: str) -> None:
        script = self.mta.script
        offers = [self.mta.name, *script.extensions]
        if script.starttls_offered and not self._is_tls:
            offers.append("STARTTLS")
        if script.login:
            offers.append(f"AUTH {script.login_mechanisms}")
        usual = "\r\n".join(f"250-{offer}" for offer in offers[:-1])
        usual += f"{chr(13) + chr(10) if usual else ''}250 {offers[-1]}"
        is_second = self._is_tls and not script.implicit_tls
        stage, steps = ("after_tls", script.after_tls) if is_second else ("ehlo", script.ehlo)
        self._helo = argument
        self._is_extended = await self._stage(stage, steps, usual)

    async def _hello(self, argument: str) -> None:
        self._helo, self._is_extended = argument, False
        await self._stage("helo", self.mta.script.helo, f"250 {self.mta.name}")

    async def _starttls(self, argument: str) -> None:
        if self._is_tls or not self.mta.script.starttls_offered:
            self._violation("STARTTLS without the offer")
        if await self._stage("starttls", self.mta.script.starttls, "220 2.0.0 Go ahead"):
            if self.mta.script.instead_of_tls:
                await self._incoming.some()
                await self._send(self.mta.script.instead_of_tls)
                await self._act(HANG)
            await self._protect()

    async def _protect(self) -> None:
        await self.writer.start_tls(server_context(), ssl_handshake_timeout=5)
        self._is_tls = True
        self._is_extended = False

    async def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        user, password = self.mta.script.login or ("", "")
        if mechanism.upper() == "PLAIN":
            given = await self._secret("334 ") if not initial else _decoded(initial)
            is_right = given == f"\0{user}\0{password}"
        else:
            given = await self._secret("334 VXNlcm5hbWU6")
            is_right = (given, await self._secret("334 UGFzc3dvcmQ6")) == (user, password)
        usual = "235 2.7.0 Ok" if is_right else "535 5.7.8 Wrong"
        await self._stage("auth", self.mta.script.auth, usual)
        self._login = user if is_right else ""

    async def _secret(self, prompt: str) -> str:
        await self._send(f"{prompt}\r\n".encode())
        return _decoded((await self._incoming.line()).decode())

    async def _mail(self, argument: str) -> None:
        script = self.mta.script
        if self._message is not None:
            self._violation("MAIL inside a transaction")
        if script.max_messages is not None and self._message_count >= script.max_messages:
            await self._send(b"421 4.7.0 Enough for one connection\r\n")
            await self._act(DROP)
        path, parameters = _path(argument)
        for keyword, extension in _NEEDS.items():
            named = any(parameter.upper().startswith(keyword) for parameter in parameters)
            if named and not self._offers(extension):
                self._violation(f"{keyword} without the offer")
        if await self._stage("mail", script.mail, "250 2.1.0 Ok"):
            self._message = Message(
                reverse_path=path,
                mail_parameters=parameters,
                forward_paths=[],
                rcpt_parameters=[],
                content=b"",
                helo=self._helo,
                is_tls=self._is_tls,
                login=self._login,
                connection=self._number,
            )

    async def _rcpt(self, argument: str) -> None:
        script, message = self.mta.script, self._message
        path, parameters = _path(argument)
        if message is None:
            await self._send(b"503 5.5.1 MAIL first\r\n")
            return
        if script.max_recipients is not None and len(message.forward_paths) >= (
            script.max_recipients
        ):
            await self._send(b"452 4.5.3 Too many recipients\r\n")
            return
        stage, steps = "rcpt", script.rcpt
        if path in script.rcpt_of:
            stage, steps = f"rcpt {path}", script.rcpt_of[path]
        if await self._stage(stage, steps, "250 2.1.5 Ok"):
            message.forward_paths.append(path)
            message.rcpt_parameters.append(parameters)

    async def _data(self, argument: str) -> None:
        script, message = self.mta.script, self._message
        if message is None or not message.forward_paths:
            await self._stage("data", script.data, "503 5.5.1 No recipients")
            if self._is_lone_dot_due():
                await self._incoming.content()
                await self._send(b"554 5.5.1 No recipients\r\n")
            return
        if await self._stage("data", script.data, "354 Go ahead"):
            await self._read_content(message)

    def _is_lone_dot_due(self) -> bool:
        return isinstance(self.mta.script.data, str) and self.mta.script.data.startswith("354")

    async def _read_content(self, message: Message) -> None:
        script = self.mta.script
        for stage, steps in (("content", script.content), ("mid", script.mid)):
            if stage == "mid" and steps:
                await self._incoming.some()
            if steps and not await self._stage(stage, steps, "") and stage == "mid":
                await asyncio.sleep(1)  # and read no more: the client has to notice
                raise Over
        raw = await self._incoming.content()
        self._message = None
        self._message_count += 1
        self._check_content(raw, message)
        message.content = unstuff(raw)
        step = self._peek_dot()
        if step in (OK, DROP, RESET, HANG) or is_positive(step):
            self.mta.messages.append(message)
        message.was_answered = await self._stage("dot", script.dot, "250 2.0.0 Ok: queued")

    def _peek_dot(self) -> Step:
        """Return the step of the dot, leaving it in the script."""
        return self.mta.step_at("dot", self.mta.script.dot)

    def _check_content(self, raw: bytes, message: Message) -> None:
        if bare_line_ends(raw):
            self._violation("bare line end in a message")
        if re.search(rb"(?:^|\r\n)\.(?!\.)", raw):
            self._violation("a dot is not stuffed")
        is_8bit = any(p.upper() == "BODY=8BITMIME" for p in message.mail_parameters)
        if not raw.isascii() and not is_8bit:
            self._violation("8-bit content without BODY=8BITMIME")

    async def _rset(self, argument: str) -> None:
        self._message = None
        await self._stage("rset", self.mta.script.rset, "250 2.0.0 Ok")

    async def _quit(self, argument: str) -> None:
        await self._stage("quit", self.mta.script.quit, "221 2.0.0 Bye")
        self.writer.close()
        with contextlib.suppress(OSError):
            await asyncio.wait_for(self.writer.wait_closed(), 5)
        raise Over


def _path(argument: str) -> tuple[str, list[str]]:
    match = re.match(r'(?:FROM|TO):<((?:[^<>"]|"(?:[^"\\]|\\.)*")*)>(.*)', argument, re.I)
    assert match is not None, argument
    return match[1], match[2].split()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


@functools.cache
def _identity() -> tuple[ssl.SSLContext, str]:
    """Return the context of the host with a self-signed certificate for NAME, and that as PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = self_signed(directory=Path(directory), hostname=NAME)
        context.load_cert_chain(certificate, key)
        return context, certificate.read_text()


def server_context() -> ssl.SSLContext:
    """Return the context of the host."""
    return _identity()[0]


def trusting_context() -> ssl.SSLContext:
    """Return a client's context that trusts the host's certificate, and its name NAME only."""
    return ssl.create_default_context(cadata=_identity()[1])
