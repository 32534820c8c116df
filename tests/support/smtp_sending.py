"""One message, or one connection, from the real client to the fake host; short waits."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mailcore.mime.transcode import to_7bit
from mailcore.smtp.client import Client, Timeouts, Transaction
from mailcore.smtp.envelope import ForwardPath
from mailcore.smtp.status import Result
from tests.support.fake_mta import NAME, FakeMta

T = TypeVar("T")
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
CONTENT = b"From: alice@hamburger.test\r\nSubject: hi\r\n\r\nHello\r\n"
PATIENT = Timeouts(*[10.0] * 10)
HASTY = Timeouts(*[0.4] * 10)


@dataclass
class Sent:
    """What the client said of it."""

    results: tuple[Result, ...]
    dialogue: str
    is_usable: bool
    tls_failure: str
    is_tls: bool


def letter(*paths: str, content: bytes = CONTENT, **changes: Any) -> Transaction:
    """Return a transaction of alice's for these recipients."""
    made = Transaction(
        reverse_path="alice@hamburger.test",
        forward_paths=tuple(ForwardPath(path) for path in paths or ("bob@outside.example",)),
        content=content,
        smtputf8=False,
        body_8bit=None,
    )
    return replace(made, **changes)


async def connect(mta: FakeMta, **options: Any) -> Client:
    """Return an open session with the fake host."""
    given = {
        "host": NAME,
        "ip": "127.0.0.1",
        "port": mta.port,
        "helo": "mx.hamburger.test",
        "allow": LOOPBACK,
        "timeouts": PATIENT,
        "transcode": to_7bit,
    }
    return await Client.open(**{**given, **options})


def with_client(mta: FakeMta, act: Callable[[Client], Awaitable[T]], **options: Any) -> T:
    """Open a session, run `act` on it, quit."""

    async def run() -> T:
        client = await connect(mta, **options)
        try:
            return await act(client)
        finally:
            await client.quit()

    return asyncio.run(run())


def send(mta: FakeMta, transaction: Transaction | None = None, **options: Any) -> Sent:
    """Send one message in a session of its own."""

    async def act(client: Client) -> Sent:
        results = await client.send(transaction or letter())
        return Sent(
            results=results,
            dialogue=client.take_dialogue(),
            is_usable=client.is_usable,
            tls_failure=client.tls_failure,
            is_tls=client.tls is not None,
        )

    return with_client(mta, act, **options)
