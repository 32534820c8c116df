"""A Redis server of the test's own. It keeps nothing on disk: a kill loses all that it had."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.servers import find_redis, free_port, wait_for_port


class Broker:
    """A server in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the URL for REDIS_URL."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start empty, and wait until connections are taken. Raises TimeoutError."""
        program = find_redis()
        assert program is not None
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(program, "--port", str(self._port), "--bind", "127.0.0.1"),
                    *("--save", "", "--appendonly", "no", "--dir", self._directory),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        wait_for_port(self._port, seconds=30)

    def kill(self) -> None:
        """Send SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the server, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=10)
