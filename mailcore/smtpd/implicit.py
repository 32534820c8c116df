"""A socket with TLS from the first octet: port 465 (RFC 8314, 3.3).

Accepts by itself, because asyncio tells nobody about a connection until its handshake is over:
here a client is counted before, and each handshake gets the certificate of the moment.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine

from mailcore.conf import Networks
from mailcore.smtpd import proxy
from mailcore.smtpd.clients import Clients, is_in, plain_ip
from mailcore.smtpd.tls import Certificates

log = logging.getLogger("mailcore.smtpd")

_BACKLOG = 512
_PAUSE_S = 0.5


class TlsListener:
    """Listens on one address and gives every connection that speaks TLS a protocol.

    `factory` gets the client's address and port: `proxies` may say it in a header before TLS.
    `handshakes` counts those who have not finished theirs. For one event loop.
    """

    def __init__(
        self,
        factory: Callable[[tuple[str, int]], asyncio.Protocol],
        *,
        certificates: Certificates,
        handshakes: Clients,
        handshake_timeout_s: float,
        reuse_port: bool = False,
        proxies: Networks = (),
        proxy_header_s: float = 5.0,
    ) -> None:
        self._factory = factory
        self._certificates = certificates
        self._handshakes = handshakes
        self._timeout_s = handshake_timeout_s
        self._reuse_port = reuse_port
        self._proxies = proxies
        self._proxy_header_s = proxy_header_s
        self._loop = asyncio.get_running_loop()
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.ports: list[int] = []

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the address is in use or not ours."""
        found = await self._loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, _, _, _, address in dict.fromkeys(found):
            self._sockets.append(_listening(family, address, reuse_port=self._reuse_port))
        for listening in self._sockets:
            self.ports.append(listening.getsockname()[1])
            self._keep(self._accept(listening))

    def close(self) -> None:
        """Take no more connections; those made live on, handshakes are dropped."""
        for task in self._tasks:
            task.cancel()
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, address = await self._loop.sock_accept(listening)
            except OSError:
                log.exception("smtpd.accept_failed")  # out of file descriptors, most likely
                await asyncio.sleep(_PAUSE_S)
                continue
            self._keep(self._receive(connection, (plain_ip(address[0]), address[1])))

    async def _receive(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        if is_in(peer[0], self._proxies):
            try:
                async with asyncio.timeout(self._proxy_header_s):
                    header = await proxy.read(connection, loop=self._loop)
            except (proxy.NoHeader, OSError, asyncio.CancelledError) as error:
                fields = {"peer": peer[0], "why": str(error) or "too slow"}
                log.warning("smtpd.proxy_refused", extra={"fields": fields})
                connection.close()
                return
            if header is not None and header.client is not None:
                peer = (plain_ip(header.client[0]), header.client[1])
        await self._shake_hands(connection, peer)

    async def _shake_hands(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        ip = peer[0]
        try:
            if self._handshakes.enter(ip):
                connection.close()
                return
            await self._loop.connect_accepted_socket(
                lambda: self._factory(peer),
                connection,
                ssl=self._certificates.context(),
                ssl_handshake_timeout=self._timeout_s,
            )
        except (OSError, asyncio.CancelledError):
            connection.close()
        finally:
            self._handshakes.leave(ip)


def _listening(family: int, address: tuple[object, ...], *, reuse_port: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(reuse_port))
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(_BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
