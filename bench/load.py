"""The load: SMTP clients in a process of their own; `python -m bench.load`, JSON on stdout.

RFC 5321 as a plain client speaks it: each command waits for its reply (no PIPELINING), as
Postfix's own smtp-source does. It believes a 250; who counts the stored mail is the caller.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import cast

import uvloop

from bench.messages import Template
from bench.server import DOMAIN

DRAIN_S = 20.0
_MAIL = b"MAIL FROM:<load@client.test>\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send: `seconds` long, or `limit` messages if that comes first (0: no limit)."""

    port: int
    sessions: int
    size: int
    seconds: float
    recipients: int
    is_reusing: bool = False
    limit: int = 0
    seed: int = 0


@dataclass(slots=True)
class Result:
    """What came of it. Times in seconds; `latencies` from connect (or MAIL) to the last 250."""

    accepted: int = 0
    started_at: float = 0.0
    finished_at: float = 0.0
    cpu_s: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Source:
    """Gives the sessions their messages until time or number is used up."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.result = Result(started_at=time.time())
        self._template = Template(size=load.size, seed=load.seed)
        self._numbers = count()
        self._end = time.monotonic() + load.seconds

    def take(self) -> tuple[bytes, bytes] | None:
        """Return the RCPT command and the content of the next message, or None at the end."""
        number = next(self._numbers)
        limit = self.load.limit
        if self.result.failures or time.monotonic() >= self._end or (limit and number >= limit):
            return None
        recipient = b"RCPT TO:<user%d@%b>\r\n" % (number % self.load.recipients, DOMAIN.encode())
        return recipient, self._template.make(number)

    def accept(self, latency: float) -> None:
        """Count a message that was answered 250 after `latency` seconds."""
        self.result.accepted += 1
        self.result.latencies.append(latency)
        self.result.finished_at = time.time()


class Session(asyncio.Protocol):
    """One connection: steps through the dialogue; `closed` is set at its end."""

    def __init__(self, source: Source, message: tuple[bytes, bytes]) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        self._source = source
        self._recipient, self._content = message
        self._started = time.perf_counter()
        self._step: Callable[[], None] = self._greet
        self._expected = b"220"
        self._reply = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the server speaks first."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits; a hang-up before QUIT is a failure."""
        if self._expected != b"221":
            self._source.result.failures.append(f"connection lost: {exc}")
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Collect a reply and take the next step."""
        reply = self._reply = self._reply + data
        if not reply.endswith(b"\r\n") or reply[reply.rfind(b"\n", 0, -1) + 4 :][:1] != b" ":
            return
        self._reply = b""
        if reply.startswith(self._expected):
            self._step()
        else:
            self._source.result.failures.append(reply.decode("latin-1"))
            self._expected = b"221"
            self._transport.abort()

    def _send(self, octets: bytes, step: Callable[[], None], expected: bytes = b"250") -> None:
        self._step, self._expected = step, expected
        self._transport.write(octets)

    def _greet(self) -> None:
        self._send(b"EHLO client.test\r\n", self._mail)

    def _mail(self) -> None:
        self._send(_MAIL, self._rcpt)

    def _rcpt(self) -> None:
        self._send(self._recipient, self._data)

    def _data(self) -> None:
        self._send(b"DATA\r\n", self._content_step, b"354")

    def _content_step(self) -> None:
        self._send(self._content, self._finish)

    def _finish(self) -> None:
        self._source.accept(time.perf_counter() - self._started)
        message = self._source.take() if self._source.load.is_reusing else None
        if message is None:
            self._send(b"QUIT\r\n", self._transport.close, b"221")
            return
        self._recipient, self._content = message
        self._started = time.perf_counter()
        self._mail()


async def _client(source: Source) -> None:
    loop = asyncio.get_running_loop()
    while message := source.take():
        try:
            _, session = await loop.create_connection(
                lambda message=message: Session(source, message),  # type: ignore[misc]
                "127.0.0.1",
                source.load.port,
            )
        except OSError as error:
            source.result.failures.append(f"cannot connect: {error}")
            return
        await session.closed


async def run(load: Load) -> Result:
    """Carry out `load`; failures are in the result. Raises TimeoutError when a server hangs."""
    source = Source(load)
    clients = asyncio.gather(*(_client(source) for _ in range(load.sessions)))
    await asyncio.wait_for(clients, load.seconds + DRAIN_S)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    source.result.cpu_s = usage.ru_utime + usage.ru_stime
    return source.result


def main(arguments: list[str]) -> int:
    """Read a Load as JSON from the command line and print the Result as JSON."""
    parser = argparse.ArgumentParser(prog="bench.load")
    parser.add_argument("load", type=json.loads, help="a Load as JSON")
    load = Load(**parser.parse_args(arguments).load)
    result = uvloop.run(run(load))
    os.set_blocking(sys.stdout.fileno(), True)  # an event loop may have left it otherwise
    sys.stdout.write(json.dumps(asdict(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
