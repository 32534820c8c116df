"""Whether an address is free to listen on, asked before anything is started."""

from __future__ import annotations

import socket


def bind_once(host: str, port: int) -> None:
    """Take the address and give it back at once. Raises OSError when it is in use or not ours."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
