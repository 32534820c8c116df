"""A web server on loopback that writes down every connection: one that nobody should make.

    with Canary() as canary:
        canary.answers["/a.png"] = ok(PNG)
        ...
        assert canary.connections == 0

`answers` maps a path to the whole answer in octets; any other path is a 404. `Names` is a resolver
of a test: it gives each name its answers in turn, the last one for ever.
"""

from __future__ import annotations

import io
import socketserver
import threading
from collections.abc import Sequence
from typing import Self

from PIL import Image

from mailcore.dns.resolver import NoSuchDomain


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 6), **more: object) -> bytes:
    """Return a real picture."""
    out = io.BytesIO()
    Image.new("RGB", size, (31, 95, 214)).save(out, kind, **more)
    return out.getvalue()


def ok(body: bytes, *fields: str) -> bytes:
    """Return an answer with a length."""
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(head).encode() + body


def redirect(location: str) -> bytes:
    """Return an answer that leads elsewhere."""
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


class Names:
    """A resolver; `asked` has every name that was looked up."""

    def __init__(self, **names: Sequence[Sequence[str]]) -> None:
        self._names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        if name not in self._names:
            raise NoSuchDomain(name)
        answers = self._names[name]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        canary = self.server.canary
        canary.connections += 1
        lines = []
        while line := self.rfile.readline().strip():
            lines.append(line.decode())
        if not lines:
            return
        path = lines[0].split(" ")[1]
        canary.requests.append(lines)
        self.wfile.write(canary.answers.get(path, b"HTTP/1.1 404 Not Found\r\n\r\n"))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    canary: Canary


class Canary:
    """Runs in a thread between `with` and its end."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.requests: list[list[str]] = []
        self.connections = 0

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        port: int = self._server.server_address[1]
        return port

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.canary = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
