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
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from mailcore import conf
from mailcore.smtpd import doorkeeper, service, tls
from mailcore.smtpd import limits as limit_values
from mailcore.smtpd.backend import (
    DeliveryBackend,
    DeliverySubmission,
    RelayBackend,
    SubmissionBackend,
)
from mailcore.smtpd.clients import Clients
from mailcore.smtpd.context import Context
from mailcore.smtpd.doorkeeper import Doorkeeper
from mailcore.smtpd.implicit import TlsListener
from mailcore.smtpd.limits import Limits
from mailcore.smtpd.protocol import Session
from mailcore.smtpd.service import Door, Service
from mailcore.smtpd.submission import SubmissionSession, check_sender, limits_of
from mailcore.smtpd.submitters import Submitters
from mailcore.smtpd.tls import Certificates
from mailcore.smtpd.workers import Collector, Questions
from mailcore.trace import Behind, Entry

if TYPE_CHECKING:
    from mailcore.delivery.sender_domain import SenderDomains

log = logging.getLogger("mailcore.smtpd")

_BACKLOG = 512
_POLL_S = 0.05
_HANDSHAKE_S = 30.0


class Server:
    """Listens at doors of all services. `ports` are known after `start`, in the order of doors."""

    def __init__(
        self,
        *,
        backend: RelayBackend,
        doors: Sequence[Door],
        limits: Limits,
        hostname: str,
        spool_dir: Path,
        submission_backend: SubmissionBackend | None = None,
        sender_domains: SenderDomains | None = None,
        certificates: Certificates | None = None,
        proxies: conf.Networks = (),
        reuse_port: bool = False,
        note: Callable[[Entry], None] = lambda _: None,
    ) -> None:
        """Make the server inside a running event loop.

        With `reuse_port` other processes may listen at the same doors (SO_REUSEPORT).
        Raises ValueError for a door with TLS and no certificate.
        """
        loop = asyncio.get_running_loop()
        if certificates is None and any(d.service is Service.SUBMISSIONS for d in doors):
            raise ValueError("TLS needs a certificate")
        self._doors = doors
        self._reuse_port = reuse_port
        self._sockets: list[asyncio.Server | TlsListener] = []
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
            proxies=proxies,
        )
        if sender_domains is not None:
            self.context.check_sender = partial(_check_domain, sender_domains)
        self.submission = _submission(self.context, submission_backend or DeliverySubmission())

    async def start(self) -> None:
        """Listen. Raises OSError when an address is in use or not ours."""
        try:
            for door in self._doors:
                self.ports += await self._open(door)
        except OSError:
            self._close_sockets()
            raise
        for context in (self.context, self.submission):
            context.collector.start()
        log.info("smtpd.listening", extra={"fields": {"ports": self.ports}})

    async def _open(self, door: Door) -> list[int]:
        """Listen at one door; return its ports."""
        if door.service is Service.SUBMISSIONS:
            return await self._open_with_tls(door)
        is_relay = door.service is Service.RELAY
        kind, context = (
            (Session, self.context) if is_relay else (SubmissionSession, self.submission)
        )
        listening = await context.loop.create_server(
            lambda: kind(context),
            door.host,
            door.port,
            backlog=_BACKLOG,
            reuse_port=self._reuse_port or None,
        )
        self._sockets.append(listening)
        return [socket.getsockname()[1] for socket in listening.sockets]

    async def _open_with_tls(self, door: Door) -> list[int]:
        context = self.submission
        assert context.certificates is not None
        listening = TlsListener(
            lambda peer: SubmissionSession(context, peer=peer),
            certificates=context.certificates,
            handshakes=Clients(context.limits, clock=time.monotonic),
            handshake_timeout_s=min(_HANDSHAKE_S, context.limits.command_timeout_s),
            reuse_port=self._reuse_port,
            proxies=context.proxies,
            proxy_header_s=context.limits.proxy_header_s,
        )
        self._sockets.append(listening)
        await listening.start(door.host, door.port)
        return listening.ports

    async def stop(self) -> None:
        """Stop cleanly; returns when all that was accepted is committed."""
        self._close_sockets()
        await asyncio.gather(_stop(self.context), _stop(self.submission))
        # The last outcomes came by call_soon_threadsafe: let them be said.
        await asyncio.sleep(_POLL_S)

    def _close_sockets(self) -> None:
        for listening in self._sockets:
            listening.close()


async def _stop(context: Context) -> None:
    context.is_stopping = True
    for unknown in tuple(context.unknown):
        unknown.abort()
    for session in tuple(context.sessions):
        session.stop()
    ends = context.loop.time() + context.limits.stop_timeout_s
    while context.sessions and context.loop.time() < ends:
        await asyncio.sleep(_POLL_S)
    for session in tuple(context.sessions):
        session.abort()
    stops = [context.collector.stop, context.questions.stop]
    if context.doorkeeper is not None:
        stops.append(context.doorkeeper.stop)
    for stop in stops:
        await context.loop.run_in_executor(None, stop)


def _submission(relay: Context, backend: SubmissionBackend) -> Context:
    """Return what sessions of 587 and 465 share: people of ours never wait for strangers."""
    loop, limits = relay.loop, limits_of(relay.limits)
    questions = Questions(loop=loop, threads=doorkeeper.threads())
    return replace(
        relay,
        limits=limits,
        backend=backend,
        clients=Clients(limits, clock=time.monotonic),
        collector=Submitters(backend, loop=loop),
        questions=Questions(loop=loop),
        check_sender=check_sender,
        doorkeeper=Doorkeeper(backend, questions=questions),
        sessions=set(),
        unknown=set(),
    )


async def _check_domain(domains: SenderDomains, session: Session, reverse_path: str) -> None:
    await domains.check(reverse_path)


def certificates(*, data_dir: Path, hostname: str) -> Certificates:
    """Return the operator's certificate; a self-signed one when there is none, or not yet.

    Raises OSError, ssl.SSLError.
    """
    spare = partial(tls.self_signed, directory=data_dir / "tls", hostname=hostname)
    return Certificates(*(conf.tls_files() or spare()), spare=spare)


def _sender_domains() -> SenderDomains:
    # Only who asks the DNS pays for loading what does.
    from mailcore.delivery.sender_domain import SenderDomains
    from mailcore.dns.resolver import DnsResolver

    return SenderDomains(resolver=DnsResolver(servers=conf.dns_servers()))


async def serve(*, stop: asyncio.Event, note: Callable[[Entry], None]) -> None:
    """Run the server of the settings until `stop` is set. Raises OSError when it cannot listen."""
    hostname = conf.hostname()
    server = Server(
        backend=DeliveryBackend(),
        sender_domains=_sender_domains() if conf.sender_domain_check() else None,
        doors=service.from_settings(),
        limits=limit_values.from_settings(),
        hostname=hostname,
        spool_dir=conf.data_dir() / "spool",
        certificates=certificates(data_dir=conf.data_dir(), hostname=hostname),
        proxies=conf.trusted_proxies(),
        reuse_port=conf.smtp_processes() > 1,
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
