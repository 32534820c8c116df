"""`python -m bench --rounds N`: every server in turn, every mode, medians and ratios.

Stops all that it started, also at Ctrl-C and SIGTERM. Writes .bench/receive.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import peer
from bench.casilla import Casilla
from bench.load import Load
from bench.measure import MODES, Figures, measure, send
from bench.report import as_json, table
from bench.server import RECIPIENTS, Server
from tests.support.servers import Cluster, find_postgresql_bin

_RESULTS = Path(__file__).resolve().parent.parent / ".bench"
_WARM_UP = 50


def main(arguments: list[str]) -> int:
    """Return 0, or 1 when a server failed mail or the store does not verify."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of sending, at most 10")
    parser.add_argument("--only", default="", help="servers whose name contains this word")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        # /var/tmp: /tmp may be in memory. Open to the users that Postfix and PostgreSQL run as.
        directory = Path(tempfile.mkdtemp(prefix="bench-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o755)
        chosen = [each for each in _servers(directory) if options.only.lower() in each.name.lower()]
        for server in chosen:
            stack.callback(server.stop)
            server.start()
            _warm_up(server)
        rounds = _measure_all(chosen, count=options.rounds, seconds=min(options.seconds, 10.0))
        _say("\n" + table(rounds))
        _say(
            "\nrate of mail in its mailbox; ratios to the peer: rate at least 2, 3, 1.5, 1.5 times,"
        )
        _say(
            "p95 and CPU at most 0.50; ! misses it. Each server's CPU and memory with its children."
        )
        _keep(rounds)
        for server in chosen:
            if isinstance(server, Casilla):
                server.manage("verify_store")
                _say(f"{server.name}: verify_store is content")
    return int(any(figures.failures for kept in rounds.values() for figures in kept))


def _servers(directory: Path) -> list[Server]:
    """Return the servers that can run here, the peer first; say which cannot."""
    servers: list[Server] = []
    if reason := peer.missing():
        _say(f"skipped the peer: {reason}; there are no ratios")
    else:
        servers.append(peer.Peer(directory / "peer"))
    servers.append(Casilla(directory / "sqlite"))
    if find_postgresql_bin():
        cluster = Cluster(directory / "cluster")
        servers.append(Casilla(directory / "postgresql", cluster=cluster))
    else:
        _say("skipped PostgreSQL: no initdb (Debian: postgresql)")
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
    servers: Sequence[Server], *, count: int, seconds: float
) -> dict[tuple[str, str], list[Figures]]:
    rounds: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    for number in range(count):
        for place, mode in enumerate(MODES):
            for server in servers:
                seed = 100 + number * len(MODES) + place
                figures = measure(server, mode, seconds=seconds, seed=seed)
                rounds[mode.name, server.name].append(figures)
                _say(
                    f"round {number + 1}/{count}  {mode.name:<20} {server.name:<20} "
                    f"{figures.rate:7.0f}/s (250: {figures.accepted_rate:.0f}/s)  "
                    f"client CPU {figures.client_cpu_ms:.2f} ms"
                )
    return rounds


def _keep(rounds: dict[tuple[str, str], list[Figures]]) -> None:
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "receive.json").write_text(json.dumps(as_json(rounds), indent=1) + "\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
