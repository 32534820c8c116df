"""Postfix's queue under test: it takes mail while its queue manager is out, then drains.

With configuration, queue and port of its own under one directory; the machine's instance is not
touched. As Debian ships it: fsync on, default concurrency (20 connections to a destination), logs
to a file. New mail waits in `incoming`, where the queue manager finds it as if it had just come.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from bench.load import Load
from bench.measure import send
from bench.peer import MASTER
from bench.server import RECIPIENTS, open_log
from tests.support.servers import free_port, wait_for_port

_WAITING = ("incoming", "active", "deferred")
_MAIN_CF = """
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {state}
maillog_file = {directory}/postfix.log
maillog_file_prefixes = {directory}
inet_protocols = ipv4
myhostname = peer.bench.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
relayhost = [127.0.0.1]:{sink_port}
smtpd_relay_restrictions = permit_mynetworks, reject
in_flow_delay = 0s
"""


def missing() -> str:
    """Return why Postfix cannot be measured here, or an empty string."""
    if not shutil.which("postfix") or not MASTER.exists():
        return "Postfix is not installed (Debian: postfix)"
    return "" if os.getuid() == 0 else "Postfix needs root to start its master process"


class PostfixQueue:
    """Postfix in `directory` that sends all mail to the sink."""

    name = "Postfix"

    def __init__(self, directory: Path, *, sink_port: int) -> None:
        self._directory = directory
        self._sink_port = sink_port
        self._port = free_port()
        self._configuration = directory / "postfix"
        self._queue = directory / "queue"

    def start(self) -> None:
        """Start Postfix without its queue manager."""
        self._configure()
        self._write_services(with_queue_manager=False)
        self._postfix("start")
        wait_for_port(self._port, seconds=30)

    def stop(self) -> None:
        """Stop all of it."""
        if (self._queue / "pid/master.pid").exists():
            self._postfix("stop")

    def fill(self, count: int, *, size: int, seed: int) -> None:
        """Queue `count` different messages and let none leave. Raises RuntimeError."""
        self._write_services(with_queue_manager=False)
        self._postfix("stop")
        self._postfix("start")
        wait_for_port(self._port, seconds=30)
        load = Load(
            port=self._port,
            sessions=10,
            size=size,
            seconds=120,
            recipients=RECIPIENTS,
            is_reusing=True,
            limit=count,
            seed=seed,
        )
        result = send(load)
        if result.failures or self.waiting_count() != count:
            raise RuntimeError(f"Postfix queued {self.waiting_count()}: {result.failures[:1]}")

    def release(self) -> None:
        """Let everything go."""
        self._write_services(with_queue_manager=True)
        self._postfix("reload")

    def waiting_count(self) -> int:
        """Count the queue files that are left."""
        places = (self._queue / name for name in _WAITING)
        return sum(len(files) for place in places for _, _, files in os.walk(place))

    def pids(self) -> list[int]:
        """Return the master process."""
        return [int((self._queue / "pid/master.pid").read_text())]

    def verify(self) -> None:
        """Nothing to prove: an empty queue is Postfix's own word."""

    def _configure(self) -> None:
        state = self._directory / "state"
        for place in (self._configuration, self._queue, state):
            place.mkdir(parents=True)
        shutil.chown(state, "postfix")
        text = _MAIN_CF.format(
            queue=self._queue, state=state, directory=self._directory, sink_port=self._sink_port
        )
        (self._configuration / "main.cf").write_text(text)

    def _write_services(self, *, with_queue_manager: bool) -> None:
        """Write Debian's master.cf without chroot, on our port."""
        lines = [line for line in MASTER.read_text().splitlines() if not line.startswith("#")]
        listener = f"127.0.0.1:{self._port} inet n - n - - smtpd"
        kept = [line for line in lines if _is_kept(line, with_queue_manager=with_queue_manager)]
        text = "\n".join([listener, *kept]) + "\n"
        services = re.sub(r"^(\S+ +unix +\S +\S +)y", r"\1n", text, flags=re.MULTILINE)
        (self._configuration / "master.cf").write_text(services)

    def _postfix(self, command: str) -> None:
        with open_log(self._directory / "start.log") as log:
            subprocess.run(
                ["postfix", "-c", self._configuration, command],
                check=True,
                timeout=60,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


def _is_kept(line: str, *, with_queue_manager: bool) -> bool:
    name, _, rest = line.partition(" ")
    if name == "smtp":
        return rest.split()[0] != "inet"
    return name != "qmgr" or with_queue_manager
