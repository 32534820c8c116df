"""A 250 means "on disk" (G1): weak databases are refused, and the system calls are watched.

The second part needs strace and the right to trace; without them it is skipped with that reason.
"""

from __future__ import annotations

import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.crash.system import MAILBOXES, System
from tests.support.servers import find_postgresql_bin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]
KINDS = ("sqlite", "postgresql")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that PostgreSQL's user may enter."""
    with tempfile.TemporaryDirectory(prefix="casilla-durable-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def system(request, directory) -> Iterator[System]:
    kind = request.param
    if kind != connection.vendor:
        pytest.skip("the run on the other database does this")
    if kind == "postgresql" and find_postgresql_bin() is None:
        pytest.skip("no initdb to make a cluster with")
    made = System(directory, kind=kind)
    try:
        made.create()
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("system", ["postgresql"], indirect=True)
def test_smtpd_refuses_a_database_that_may_lose_what_it_committed(system):
    assert system.cluster is not None
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        system.cluster.stop()
        with (system.cluster.data / "postgresql.conf").open("a") as file:
            file.write(f"\n{name} = off\n")
        system.cluster.start()
        with pytest.raises(subprocess.CalledProcessError) as refused:
            system.manage("smtpd")
        with (system.cluster.data / "postgresql.conf").open("a") as file:
            file.write(f"\n{name} = on\n")
        assert refused.value.returncode == 1
        expected = f"CommandError: {name} is off: a 250 could be lost, set it to on"
        assert refused.value.output.strip() == expected


@pytest.mark.parametrize("system", KINDS, indirect=True)
def test_no_250_is_written_before_a_sync(system, directory):
    tracer = shutil.which("strace")
    if tracer is None:
        pytest.skip("no strace")
    system.start("smtpd")
    processes = [system.processes["smtpd"].pid]
    if system.cluster:
        processes.append(system.cluster.pid())
    trace = directory / "trace"
    with _traced(tracer, processes, trace):
        acknowledged = _send(system.port, count=10)
    synced, dots = _times(trace.read_text(errors="replace"))
    assert acknowledged == 10
    assert len(dots) == 10
    for begun, ended in dots:
        assert any(begun < moment < ended for moment in synced), (begun, ended)


class _traced:  # noqa: N801 - reads as a with statement
    """strace of `processes` and their children from now on, into `path`."""

    def __init__(self, tracer: str, processes: list[int], path: Path) -> None:
        calls = "trace=fsync,fdatasync,write,writev,sendto,sendmsg"
        which = [word for pid in processes for word in ("-p", str(pid))]
        self._command = [tracer, "-f", "-ttt", "-s", "64", "-e", calls, "-o", str(path), *which]
        self._count = len(processes)

    def __enter__(self) -> None:
        self._tracer = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._tracer.stderr is not None
        for _ in range(self._count):
            line = self._tracer.stderr.readline()
            if "attached" not in line:
                self.__exit__()
                pytest.skip(f"strace may not trace here: {line.strip()}")

    def __exit__(self, *details: object) -> None:
        self._tracer.send_signal(signal.SIGINT)
        self._tracer.communicate(timeout=30)


def _send(port: int, *, count: int) -> int:
    """Send mails one after another; return how many got a 250."""
    end = time.monotonic() + 60
    while True:
        try:
            client = smtplib.SMTP("127.0.0.1", port, "sender.test", timeout=30)
            break
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)
    with client:
        for number in range(count):
            octets = f"Subject: {number}\r\nMessage-ID: <{number}@sender.test>\r\n\r\nHello\r\n"
            assert client.sendmail("a@sender.test", [MAILBOXES[0]], octets) == {}
    return count


def _times(trace: str) -> tuple[list[float], list[tuple[float, float]]]:
    """Return when syncs ended, and for each mail when 354 and its 250 were written."""
    synced: list[float] = []
    dots: list[tuple[float, float]] = []
    begun = 0.0
    for line in trace.splitlines():
        moment = float(line.split()[1])
        if '"354 ' in line:  # as the data of a call: a process id may end in these digits too
            begun = moment
        elif '"250 2.0.0 Ok: queued' in line:
            dots.append((begun, moment))
        elif re.search(r"f(?:data)?sync(?:\(| resumed>).*= 0$", line):
            synced.append(moment)
    return synced, dots
