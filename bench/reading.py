"""Rows 7 and 8 of the targets: a reader's errands in a mailbox of many messages, servers in turn.

Each errand begins with one request that is not counted (a server may keep things in memory), goes
on for its number of times or twenty seconds, and alternates between the servers round by round.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from bench import roundcube
from bench.casilla_web import CasillaWeb
from bench.errands import ERRANDS, Errand, Reader, Step
from bench.roundcube import Roundcube
from tests.support.servers import Cluster, find_postgresql_bin

_PATIENCE_S = 20.0
_HEAD = (
    f"{'errand':<24} {'server':<22} {'times':>5} {'p50 ms':>8} {'p95 ms':>8} {'KB':>6}  {'p50':>8}"
)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Waited:
    """How long one errand took on one server, in milliseconds; `octets` of the median answer."""

    times: int
    p50_ms: float
    p95_ms: float
    octets: int


def run(
    directory: Path, *, count: int, rounds: int, only: str, say: Say
) -> list[dict[str, object]]:
    """Measure and print the table; return every figure. Raises what the servers raise."""
    taken: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    with ExitStack() as stack:
        chosen = [one for one in _readers(directory, count, say) if only in one.name.lower()]
        for reader in chosen:
            stack.callback(reader.stop)
            reader.start()
            say(f"{reader.name}: {count} messages are there")
        offers = {reader.name: reader.errands() for reader in chosen}
        for _ in range(rounds):
            for errand in ERRANDS:
                for name, offered in offers.items():
                    if errand.name in offered:
                        taken[errand.name, name] += _measure(errand, offered[errand.name])
    waited = {key: _waited(values) for key, values in taken.items()}
    say("\n" + table(waited))
    return [
        {"errand": errand, "server": server, "messages": count} | asdict(figures)
        for (errand, server), figures in waited.items()
    ]


def _readers(directory: Path, count: int, say: Say) -> Iterator[Reader]:
    """Yield the servers that can run here, the peer first; say which cannot."""
    if reason := roundcube.missing():
        say(f"skipped the peer: {reason}; there are no ratios")
    else:
        yield Roundcube(directory / "roundcube", count=count)
    yield CasillaWeb(directory / "sqlite", count=count)
    if find_postgresql_bin():
        cluster = Cluster(directory / "cluster")
        yield CasillaWeb(directory / "postgresql", count=count, cluster=cluster)
    else:
        say("skipped PostgreSQL: no initdb (Debian: postgresql)")


def _measure(errand: Errand, steps: Iterator[Step]) -> list[tuple[float, int]]:
    end = time.monotonic() + _PATIENCE_S
    next(steps)()
    taken = []
    for step in islice(steps, errand.times):
        answer = step()
        taken.append((answer.took_ms, answer.octets))
        if time.monotonic() > end:
            break
    return taken


def _waited(taken: Sequence[tuple[float, int]]) -> Waited:
    times = sorted(took_ms for took_ms, _ in taken)
    octets = sorted(size for _, size in taken)
    return Waited(
        times=len(times),
        p50_ms=times[len(times) // 2],
        p95_ms=times[int(len(times) * 0.95)],
        octets=octets[len(octets) // 2],
    )


def table(waited: Mapping[tuple[str, str], Waited]) -> str:
    """Return the table as text; what misses a target of its errand ends in `!`."""
    lines = [_HEAD, "-" * len(_HEAD)]
    for errand in ERRANDS:
        peer = waited.get((errand.name, Roundcube.name))
        lines += [
            _line(errand, server, figures, peer if server != Roundcube.name else None)
            for (name, server), figures in waited.items()
            if name == errand.name
        ]
    return "\n".join(lines)


def _line(errand: Errand, server: str, figures: Waited, peer: Waited | None) -> str:
    line = (
        f"{errand.name:<24} {server:<22} {figures.times:>5} {figures.p50_ms:8.1f} "
        f"{figures.p95_ms:8.1f} {figures.octets / 1000:6.1f}"
    )
    if server == Roundcube.name:
        return line
    share = figures.p50_ms / peer.p50_ms if peer else None
    is_missed = share is not None and errand.share is not None and share > errand.share
    is_missed |= errand.limit_ms is not None and figures.p95_ms > errand.limit_ms
    return line + (f"  {share:7.3f}x" if share is not None else " " * 10) + "!" * is_missed
