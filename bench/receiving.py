"""Rows 1 to 4 of the targets: every server in turn, every way of sending to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import peer
from bench.casilla import Casilla
from bench.load import Load
from bench.measure import MODES, Figures, measure, send
from bench.report import receiving_json, receiving_table
from bench.server import RECIPIENTS, Server
from tests.support.servers import Cluster, find_postgresql_bin

_WARM_UP = 50
_LEGEND = """
rate of mail in its mailbox; ratios to the peer: rate at least 2, 3, 1.5, 1.5 times,
p95 and CPU at most 0.50; ! misses it. Each server's CPU and memory with its children."""
Say = Callable[[str], None]


def run(
    directory: Path, *, rounds: int, seconds: float, only: str, say: Say
) -> tuple[list[dict[str, object]], bool]:
    """Measure all rounds and print the table; return every figure and whether all went well.

    Raises MailLostError, CalledProcessError, TimeoutError.
    """
    with ExitStack() as stack:
        chosen = [each for each in _servers(directory, say) if only in each.name.lower()]
        for server in chosen:
            stack.callback(server.stop)
            server.start()
            _warm_up(server)
        kept = _measure_all(chosen, count=rounds, seconds=seconds, say=say)
        say("\n" + receiving_table(kept))
        say(_LEGEND)
        for server in chosen:
            if isinstance(server, Casilla):
                server.verify()
                say(f"{server.name}: verify_store is content")
    return receiving_json(kept), not any(one.failures for each in kept.values() for one in each)


def _servers(directory: Path, say: Say) -> list[Server]:
    """Return the servers that can run here, the peer first; say which cannot."""
    servers: list[Server] = []
    if reason := peer.missing():
        say(f"skipped the peer: {reason}; there are no ratios")
    else:
        servers.append(peer.Peer(directory / "peer"))
    servers.append(Casilla(directory / "sqlite"))
    if find_postgresql_bin():
        cluster = Cluster(directory / "cluster")
        servers.append(Casilla(directory / "postgresql", cluster=cluster))
    else:
        say("skipped PostgreSQL: no initdb (Debian: postgresql)")
    return servers


def _warm_up(server: Server) -> None:
    result = send(
        Load(
            port=server.port,
            sessions=5,
            size=10_000,
            seconds=10,
            recipients=RECIPIENTS,
            limit=_WARM_UP,
            seed=1,
        )
    )
    if result.failures:
        raise SystemExit(f"{server.name} refuses mail: {result.failures[0]}")


def _measure_all(
    servers: Sequence[Server], *, count: int, seconds: float, say: Say
) -> dict[tuple[str, str], list[Figures]]:
    rounds: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    for number in range(count):
        for place, mode in enumerate(MODES):
            for server in servers:
                seed = 100 + number * len(MODES) + place
                figures = measure(server, mode, seconds=seconds, seed=seed)
                rounds[mode.name, server.name].append(figures)
                say(
                    f"round {number + 1}/{count}  {mode.name:<20} {server.name:<20} "
                    f"{figures.rate:7.0f}/s (250: {figures.accepted_rate:.0f}/s)  "
                    f"client CPU {figures.client_cpu_ms:.2f} ms"
                )
    return rounds
