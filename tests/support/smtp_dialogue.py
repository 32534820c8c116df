"""A real SMTP server on a free port of loopback, and a client that sends any octets.

The backend is a small one that behaves: it keeps messages in a list. Its world is two mailboxes
of hamburger.test; everything else is unknown or a relay.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import uvloop

from mailcore.delivery import refusals
from mailcore.delivery.inbound import Incoming, PendingOutcome, Receipt
from mailcore.errors import Refused
from mailcore.smtp.envelope import Envelope, Peer
from mailcore.smtpd.limits import Limits
from mailcore.smtpd.server import Server
from mailcore.smtpd.service import Door, Service
from mailcore.smtpd.tls import Certificates, self_signed
from webmail import env as values

QUICK = Limits(
    message_octets=200_000,
    error_delay_s=0,
    stop_timeout_s=2,
    connections_per_client=1000,
    new_per_minute=100_000,
    messages_per_minute=100_000,
    recipients_per_minute=100_000,
)
REPLY = re.compile(rb"(?:[2-5]\d\d-[\x20-\x7e]*\r\n)*[2-5]\d\d(?: [\x20-\x7e]*)?\r\n")


@dataclass
class KeptMessage:
    """What the backend was handed."""

    envelope: Envelope
    peer: Peer
    content: bytes
    trace_id: uuid.UUID


@dataclass
class MemoryBackend:
    """Keeps what it is given. `before_commit` runs in the writer thread for every batch."""

    before_commit: Callable[[], object] = lambda: None
    kept: list[KeptMessage] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def check_sender(self, *, reverse_path: str, declared_size: Any, smtputf8: bool) -> None:
        if "\x00" in reverse_path:
            raise Refused(refusals.BAD_ADDRESS)

    def check_known_recipient(
        self, *, forward_path: str, declared_size: Any, smtputf8: bool
    ) -> bool:
        if forward_path.startswith("slow"):
            return False
        self.check_recipient(
            forward_path=forward_path, declared_size=declared_size, smtputf8=smtputf8
        )
        return True

    def check_recipient(self, *, forward_path: str, declared_size: Any, smtputf8: bool) -> None:
        if forward_path.startswith("broken"):
            raise RuntimeError("secret detail")
        if not forward_path.endswith("@hamburger.test"):
            raise Refused(refusals.RELAY)
        if forward_path.startswith("nobody"):
            raise Refused(refusals.UNKNOWN_USER)

    def begin(self, item: Incoming) -> None:
        assert item.content.size >= 0

    def receive_batch(self, items: Sequence[Incoming], *, now: datetime) -> list[PendingOutcome]:
        self.before_commit()
        self.batches.append(len(items))
        return [self._keep(item) for item in items]

    def _keep(self, item: Incoming) -> PendingOutcome:
        content = bytes(item.content.view())
        if b"X-Fault: yes" in content:
            return RuntimeError("secret detail")
        self.kept.append(KeptMessage(item.envelope, item.peer, content, item.trace_id))
        receipt = Receipt(queued_as=item.trace_id.hex)
        if b"X-Later: yes" not in content:
            return receipt
        later: Future[Any] = Future()
        threading.Timer(0.05, later.set_result, [receipt]).start()
        return later


class Running:
    """A server in a thread of its own."""

    def __init__(
        self,
        directory: Path,
        *,
        limits: Limits = QUICK,
        backend: Any = None,
        use_uvloop: bool = True,
        with_tls: bool = True,
        host: str = "127.0.0.1",
        services: Sequence[Service] = (Service.RELAY,),
        submission_backend: Any = None,
        sender_domains: Any = None,
        proxies: str = "",
    ) -> None:
        self.backend: Any = MemoryBackend() if backend is None else backend
        self.events: list[Any] = []
        self._options = (directory, limits, with_tls, host)
        self._services = services
        self._submission_backend = submission_backend
        self._sender_domains = sender_domains
        self._proxies = values.networks(proxies)
        self._use_uvloop = use_uvloop
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._clients: list[Client] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Running:
        self._thread.start()
        assert self._ready.wait(20)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server as SIGTERM does and wait for it."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        for client in self._clients:
            client.close()

    def begin_stop(self) -> None:
        """Stop without waiting."""
        self.loop.call_soon_threadsafe(self._stop.set)

    def connect(self, service: Service | None = None) -> Client:
        """Return a client that has read the greeting; on 465 over TLS."""
        client = self.dial(service)
        if service is Service.SUBMISSIONS:
            client.start_tls()
        client.greeting = client.reply()
        return client

    def dial(self, service: Service | None = None) -> Client:
        """Return a client that has read nothing yet."""
        port = self.ports[service] if service else self.port
        client = Client(socket.create_connection((self.host, port), timeout=20))
        self._clients.append(client)
        return client

    def _run(self) -> None:
        factory = uvloop.new_event_loop if self._use_uvloop else asyncio.new_event_loop
        try:
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(self._main())
        except BaseException as error:  # noqa: BLE001 - shown to the test
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        directory, limits, with_tls, self.host = self._options
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        files = self_signed(directory=directory / "tls", hostname="mx.hamburger.test")
        self.server = Server(
            backend=self.backend,
            doors=[Door(service, self.host, 0) for service in self._services],
            submission_backend=self._submission_backend,
            sender_domains=self._sender_domains,
            limits=limits,
            hostname="mx.hamburger.test",
            spool_dir=directory / "spool",
            certificates=Certificates(*files) if with_tls else None,
            proxies=self._proxies,
            note=self.events.append,
        )
        await self.server.start()
        self.ports = dict(zip(self._services, self.server.ports, strict=True))
        self.port = self.server.ports[0]
        self._ready.set()
        await self._stop.wait()
        await self.server.stop()


class Client:
    """Sends octets as they are and reads replies."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.greeting = b""
        self._buffer = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def send(self, octets: bytes) -> None:
        """Send; a server that has gone is no error here."""
        try:
            self.socket.sendall(octets)
        except (ConnectionError, ssl.SSLError):
            return

    def reply(self) -> bytes:
        """Return one whole reply, b'' when the server has closed."""
        while (match := REPLY.match(self._buffer)) is None:
            if not self._more():
                return b""
        self._buffer = self._buffer[match.end() :]
        return match[0]

    def ask(self, command: bytes) -> bytes:
        """Send one command line and return its reply."""
        self.send(command + b"\r\n")
        return self.reply()

    def rest(self) -> bytes:
        """Return all that comes until the server closes."""
        while self._more():
            pass
        return self._buffer

    def start_tls(self) -> None:
        """Turn the connection into TLS, checking no name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def envelope(self, *, helo: bytes = b"EHLO client.test") -> None:
        """Go up to the 354."""
        for command in (helo, b"MAIL FROM:<a@x.test>", b"RCPT TO:<bob@hamburger.test>"):
            answer = self.ask(command)
            assert answer[:1] == b"2", answer
        answer = self.ask(b"DATA")
        assert answer[:3] == b"354", answer

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError):
            return False
        self._buffer += data
        return bool(data)
