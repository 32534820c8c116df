"""The other end of outbound mail: a counting sink in a process of its own; `python -m bench.sink`.

Takes mail on a port until SIGTERM and answers each line on its standard input with what it counted,
as JSON. Different messages are counted by their Message-ID, so that a repeat shows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

from bench.server import end
from tests.support.counting_sink import SinkSession
from tests.support.servers import wait_for_port

_ROOT = Path(__file__).resolve().parent.parent
_MESSAGE_ID = re.compile(rb"^Message-I[dD]: <(\S+)>", re.MULTILINE)


@dataclass(slots=True)
class Count:
    """What the sink has seen. Times in seconds since the epoch, 0 before the first message."""

    messages: int = 0
    different: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    connections: int = 0
    most_connections: int = 0
    cpu_s: float = 0.0


class _Counting(SinkSession):
    """A session that counts connections too."""

    def __init__(self, count: Count, seen: set[bytes]) -> None:
        super().__init__(self._note)
        self._count = count
        self._seen = seen
        self._started_at = time.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count and greet."""
        self._count.connections += 1
        self._count.most_connections = max(self._count.most_connections, self._count.connections)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count one less."""
        self._count.connections -= 1

    def _note(self, paths: tuple[str, ...], content: bytes) -> bytes:
        count = self._count
        count.last_at = time.time()
        count.first_at = count.first_at or self._started_at
        count.messages += 1
        found = _MESSAGE_ID.search(content)
        self._seen.add(found[1] if found else content)
        count.different = len(self._seen)
        return b"250 2.0.0 Ok\r\n"


class Sink:
    """The sink as a child process. Use it as a context manager."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> Sink:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.sink", str(self.port)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_for_port(self.port, seconds=30)
        return self

    def __exit__(self, *exception: object) -> None:
        end(self._process)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def count(self) -> Count:
        """Ask the sink."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Count(**json.loads(self._process.stdout.readline()))


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    count, seen = Count(), set[bytes]()

    def answer() -> None:
        if not sys.stdin.readline():
            loop.stop()
            return
        usage = resource.getrusage(resource.RUSAGE_SELF)
        count.cpu_s = usage.ru_utime + usage.ru_stime
        sys.stdout.write(json.dumps(asdict(count)) + "\n")
        sys.stdout.flush()

    loop.add_reader(sys.stdin, answer)
    server = await loop.create_server(lambda: _Counting(count, seen), "127.0.0.1", port)
    await server.serve_forever()


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="bench.sink")
    parser.add_argument("port", type=int)
    uvloop.run(_serve(parser.parse_args(arguments).port))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
