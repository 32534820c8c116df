"""`python -m tests.crash --rounds N`: crash rounds on SQLite and, where found, PostgreSQL.

N rounds of receiving on each, and a fifth as many that send too, because those wait for leases. A
line for each round, a summary at the end; status 1 when a promise was broken. Every 20 rounds
start from an empty system, so that the count stays quick.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from tests.crash.away import Away
from tests.crash.ledger import Ledger
from tests.crash.rounds import Report, run_round
from tests.crash.system import System
from tests.support.servers import find_postgresql_bin

_BLOCK = 20
_SENDING_SHARE = 5


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run_rounds(
    directory: Path,
    *,
    kind: str,
    rounds: int,
    seed: int,
    most: int = 300,
    is_sending: bool = False,
    victims: Callable[[System], Sequence[str]] = lambda _: (),
) -> list[Report]:
    """Run `rounds` rounds on one system in `directory`."""
    random = Random(seed)
    away = Away(Random(random.random())) if is_sending else None
    system, ledger = System(directory, kind=kind, away=away), Ledger()
    reports: list[Report] = []
    try:
        if away:
            away.start()
        system.create()
        system.run()
        for number in range(1, rounds + 1):
            report = run_round(
                system,
                ledger,
                random=random,
                name=f"r{number:03d}",
                most=most,
                victims=victims(system),
            )
            _say(f"{kind} {number}/{rounds}: {report}")
            for line in [*report.late, *report.violations][:20]:
                _say(f"  {line}")
            reports.append(report)
    finally:
        system.close()
        if away:
            away.stop()
    return reports


def _run_kind(kind: str, *, rounds: int, seed: int, until: float, is_sending: bool) -> list[Report]:
    reports: list[Report] = []
    while len(reports) < rounds and time.monotonic() < until:
        block = min(_BLOCK, rounds - len(reports))
        directory = Path(tempfile.mkdtemp(prefix="casilla-crash-"))
        directory.chmod(0o755)
        _say(f"{kind}: seed {seed}, {block} rounds{', sending' if is_sending else ''}")
        done = run_rounds(directory, kind=kind, rounds=block, seed=seed, is_sending=is_sending)
        reports += done
        seed += 1
        if any(report.violations for report in done):
            _say(f"{kind}: kept for a look: {directory}")
        else:
            shutil.rmtree(directory)
    return reports


def _summary(name: str, reports: list[Report]) -> str:
    kills = Counter(victim for report in reports for victim in report.kills)
    resumed = [value for report in reports for value in report.resumed_s]
    return (
        f"{name}: {len(reports)} rounds, kills {dict(kills)},"
        f" {sum(report.counts['mails'] for report in reports)} mails,"
        f" {sum(report.counts['cut_off'] for report in reports)} cut off after the dot,"
        f" slowest accept {max(resumed, default=0):.2f} s,"
        f" all sent after {max((report.sent_s for report in reports), default=0):.1f} s,"
        f" {sum(len(report.violations) for report in reports)} violations,"
        f" {sum(len(report.late) for report in reports)} late"
    )


def main() -> int:
    """Carry out the command line."""
    parser = argparse.ArgumentParser(prog="tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="rounds on each database")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--minutes", type=float, default=24 * 60, help="start no block after that")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--work", choices=("receive", "send"), action="append")
    options = parser.parse_args()
    found = ["sqlite", *(["postgresql"] if find_postgresql_bin() else [])]
    if "postgresql" not in found:
        _say("not run: PostgreSQL (no initdb found)")
    results = {
        f"{kind}, {work}": _run_kind(
            kind,
            rounds=options.rounds if work == "receive" else -(-options.rounds // _SENDING_SHARE),
            seed=options.seed,
            until=time.monotonic() + options.minutes * 60,
            is_sending=work == "send",
        )
        for work in options.work or ("receive", "send")
        for kind in options.database or found
    }
    for name, reports in results.items():
        _say(_summary(name, reports))
    return int(
        any(report.violations or report.late for reports in results.values() for report in reports)
    )


if __name__ == "__main__":
    sys.exit(main())
