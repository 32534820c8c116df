"""The bench's table: medians of the rounds, ratios to the peer, targets; and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from statistics import median

from bench.measure import MODES, Figures, Mode
from bench.peer import Peer

Rounds = Mapping[tuple[str, str], Sequence[Figures]]  # by mode's name and server's name

_HEAD = (
    f"{'work':<20} {'server':<20} {'msg/s':>7} {'p50 ms':>7} {'p95 ms':>7} "
    f"{'CPU ms':>7} {'MiB':>5}  {'rate':>9} {'p95':>9} {'CPU':>9}"
)
_HALF = 0.5  # row 4: accept latency and CPU, at most this share of the peer's


def medians(rounds: Sequence[Figures]) -> Figures:
    """Return the median of every figure by itself; failures are summed."""
    values = {
        name.name: median(getattr(figures, name.name) for figures in rounds)
        for name in fields(Figures)
    }
    values["failures"] = sum(figures.failures for figures in rounds)
    return Figures(**values)


def table(rounds: Rounds) -> str:
    """Return the table as text; a ratio that misses its target is marked with `!`."""
    lines = [_HEAD, "-" * len(_HEAD)]
    for mode in MODES:
        found = {
            server: medians(kept) for (name, server), kept in rounds.items() if name == mode.name
        }
        peer = found.get(Peer.name)
        lines += [_line(mode, server, figures, peer) for server, figures in found.items()]
    return "\n".join(lines)


def as_json(rounds: Rounds) -> list[dict[str, object]]:
    """Return every measurement as plain values."""
    return [
        {"mode": mode, "server": server, "round": number} | asdict(figures)
        for (mode, server), kept in rounds.items()
        for number, figures in enumerate(kept, start=1)
    ]


def _line(mode: Mode, server: str, figures: Figures, peer: Figures | None) -> str:
    left = (
        f"{mode.name:<20} {server:<20} {figures.rate:7.0f} {figures.p50_ms:7.1f} "
        f"{figures.p95_ms:7.1f} {figures.cpu_ms:7.2f} {figures.peak_mib:5.0f}"
    )
    failed = f"  {figures.failures} failures" if figures.failures else ""
    if peer is None or server == Peer.name:
        return left + failed
    rate = figures.rate / peer.rate
    p95 = figures.p95_ms / max(peer.p95_ms, 0.001)
    cpu = figures.cpu_ms / max(peer.cpu_ms, 0.001)
    ratios = (
        f"  {rate:7.2f}x{_mark(rate >= mode.target)} {p95:7.2f}x{_mark(p95 <= _HALF)}"
        f" {cpu:7.2f}x{_mark(cpu <= _HALF)}"
    )
    return left + ratios + failed


def _mark(is_reached: bool) -> str:
    return " " if is_reached else "!"
