"""The SMTP server: sockets, a clean start and a clean stop.

Stop: no new connections, 421 to who is idle, messages in progress finished within the limit,
then everything that was taken is committed. What a session says is `protocol`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import uvloop

from mailcore import conf
from mailcore.smtpd import limits as limit_values
from mailcore.smtpd import tls
from mailcore.smtpd.backend import Backend, DeliveryBackend
from mailcore.smtpd.clients import Clients
from mailcore.smtpd.context import Context
from mailcore.smtpd.limits import Limits
from mailcore.smtpd.protocol import Session
from mailcore.smtpd.tls import Certificates
from mailcore.smtpd.workers import Collector, Questions
from mailcore.trace import Behind, Entry

log = logging.getLogger("mailcore.smtpd")

_BACKLOG = 512
_POLL_S = 0.05


class Server:
    """Listens, and keeps what its sessions share. `ports` are known after `start`."""

    def __init__(
        self,
        *,
        backend: Backend,
        listeners: Sequence[tuple[str, int]],
        limits: Limits,
        hostname: str,
        spool_dir: Path,
        certificates: Certificates | None = None,
        note: Callable[[Entry], None] = lambda _: None,
    ) -> None:
        """Make the server inside a running event loop."""
        loop = asyncio.get_running_loop()
        self._listeners = listeners
        self._sockets: list[asyncio.Server] = []
        self.ports: list[int] = []
        self.context = Context(
            hostname=hostname,
            limits=limits,
            loop=loop,
            backend=backend,
            clients=Clients(limits, clock=time.monotonic),
            collector=Collector(backend, loop=loop),
            questions=Questions(loop=loop),
            certificates=certificates,
            spool_dir=spool_dir,
            note=note,
        )

    async def start(self) -> None:
        """Listen. Raises OSError when an address is in use or not ours."""
        try:
            for host, port in self._listeners:
                listening = await self.context.loop.create_server(
                    lambda: Session(self.context), host, port, backlog=_BACKLOG
                )
                self._sockets.append(listening)
                self.ports += [socket.getsockname()[1] for socket in listening.sockets]
        except OSError:
            self._close_sockets()
            raise
        self.context.collector.start()
        log.info("smtpd.listening", extra={"fields": {"ports": self.ports}})

    async def stop(self) -> None:
        """Stop cleanly; returns when all that was accepted is committed."""
        context = self.context
        context.is_stopping = True
        self._close_sockets()
        for session in tuple(context.sessions):
            session.stop()
        ends = context.loop.time() + context.limits.stop_timeout_s
        while context.sessions and context.loop.time() < ends:
            await asyncio.sleep(_POLL_S)
        for session in tuple(context.sessions):
            session.abort()
        await context.loop.run_in_executor(None, context.collector.stop)
        await context.loop.run_in_executor(None, context.questions.stop)
        # The last outcomes came by call_soon_threadsafe: let them be said.
        await asyncio.sleep(_POLL_S)

    def _close_sockets(self) -> None:
        for listening in self._sockets:
            listening.close()


def certificates(*, data_dir: Path, hostname: str) -> Certificates:
    """Return the operator's certificate or a self-signed one. Raises OSError, ssl.SSLError."""
    files = conf.tls_files() or tls.self_signed(directory=data_dir / "tls", hostname=hostname)
    return Certificates(*files)


async def serve(*, stop: asyncio.Event, note: Callable[[Entry], None]) -> None:
    """Run the server of the settings until `stop` is set. Raises OSError when it cannot listen."""
    hostname = conf.hostname()
    server = Server(
        backend=DeliveryBackend(),
        listeners=conf.smtp_listeners(),
        limits=limit_values.from_settings(),
        hostname=hostname,
        spool_dir=conf.data_dir() / "spool",
        certificates=certificates(data_dir=conf.data_dir(), hostname=hostname),
        note=note,
    )
    await server.start()
    await stop.wait()
    await server.stop()


def run() -> None:
    """Run the server of the settings until SIGTERM or SIGINT. Raises OSError as `serve`."""
    behind = Behind(interval=timedelta(seconds=1))
    behind.start()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run_until_signal(behind))
    finally:
        behind.stop()


async def _run_until_signal(behind: Behind) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(stop=stop, note=behind.put)
