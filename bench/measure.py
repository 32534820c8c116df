"""One measurement: a load against a server that runs, with its CPU, memory and stored mail."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load import DRAIN_S, Load, Result
from bench.processes import MemoryWatch, cpu_seconds
from bench.server import RECIPIENTS, Server

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A way of sending, and what it should reach beside the peer (times its rate)."""

    name: str
    sessions: int
    size: int
    target: float
    is_reusing: bool = False


MODES = (
    Mode(name="10 KB, 10 sessions", sessions=10, size=10_000, target=2.0),
    Mode(name="10 KB, 50 kept", sessions=50, size=10_000, target=3.0, is_reusing=True),
    Mode(name="10 KB, 1 session", sessions=1, size=10_000, target=1.5),
    Mode(name="100 KB, 10 sessions", sessions=10, size=100_000, target=1.5),
)


class MailLostError(Exception):
    """Acknowledged mail did not arrive within the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one measurement gave. Rates per second, `*_ms` and `peak_mib` as they say.

    `rate` is mail in its mailbox until the last one is there, `accepted_rate` mail answered 250.
    """

    messages: int
    rate: float
    accepted_rate: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    client_cpu_ms: float
    peak_mib: float
    failures: int


def measure(server: Server, mode: Mode, *, seconds: float, seed: int) -> Figures:
    """Send in `mode` for `seconds` and wait until all that was accepted is stored.

    Raises MailLostError, and CalledProcessError when the load cannot run.
    """
    load = Load(
        port=server.port,
        sessions=mode.sessions,
        size=mode.size,
        seconds=seconds,
        recipients=RECIPIENTS,
        is_reusing=mode.is_reusing,
        seed=seed,
    )
    stored_before = server.stored_count()
    cpu_before = cpu_seconds(server.pids())
    with MemoryWatch(server.pids()) as memory:
        result = send(load)
        _wait_until_stored(server, stored_before + result.accepted)
    cpu_s = cpu_seconds(server.pids()) - cpu_before
    return _figures(
        result,
        stored_at=server.last_stored_at(result.finished_at),
        cpu_s=cpu_s,
        peak_bytes=memory.peak_bytes,
    )


def send(load: Load) -> Result:
    """Run `load` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", json.dumps(asdict(load))],
        cwd=_ROOT,
        check=True,
        stdout=subprocess.PIPE,
        timeout=load.seconds + DRAIN_S + 10,
    )
    return Result(**json.loads(done.stdout))


def _wait_until_stored(server: Server, expected: int) -> None:
    end = time.monotonic() + DRAIN_S
    while (stored := server.stored_count()) < expected:
        if time.monotonic() > end:
            raise MailLostError(
                f"{server.name} keeps {stored} messages and acknowledged {expected}"
            )
        time.sleep(0.1)


def _figures(result: Result, *, stored_at: float, cpu_s: float, peak_bytes: int) -> Figures:
    messages = max(result.accepted, 1)
    latencies = sorted(result.latencies) or [0.0]
    return Figures(
        messages=result.accepted,
        rate=messages / (stored_at - result.started_at),
        accepted_rate=messages / (result.finished_at - result.started_at),
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p95_ms=latencies[int(len(latencies) * 0.95)] * 1000,
        cpu_ms=cpu_s / messages * 1000,
        client_cpu_ms=result.cpu_s / messages * 1000,
        peak_mib=peak_bytes / 2**20,
        failures=len(result.failures),
    )
