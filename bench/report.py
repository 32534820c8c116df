"""The bench's tables: medians of the rounds, ratios to the peer, targets; and their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from statistics import median
from typing import Any, TypeVar

from bench.drain import Drained
from bench.measure import MODES, Figures, Mode
from bench.peer import Peer
from bench.postfix_queue import PostfixQueue

Measured = TypeVar("Measured", Figures, Drained)
Rounds = Mapping[tuple[str, str], Sequence[Figures]]  # by mode's name and server's name

_HEAD = (
    f"{'work':<20} {'server':<20} {'msg/s':>7} {'p50 ms':>7} {'p95 ms':>7} "
    f"{'CPU ms':>7} {'MiB':>5}  {'rate':>9} {'p95':>9} {'CPU':>9}"
)
_SENDING_HEAD = (
    f"{'work':<20} {'queue':<20} {'msg/s':>7} {'CPU ms':>7} {'MiB':>5} {'conn':>5}  "
    f"{'rate':>9} {'CPU':>9}"
)
_SENDING_TARGET = 1.5  # row 6
_HALF = 0.5  # row 4: accept latency and CPU, at most this share of the peer's


def medians(rounds: Sequence[Measured]) -> Measured:
    """Return the median of every figure by itself; failures and repeats are summed."""
    kind = type(rounds[0])
    values: dict[str, Any] = {
        field.name: median(getattr(figures, field.name) for figures in rounds)
        for field in fields(kind)
    }
    for name in values.keys() & {"failures", "repeats"}:
        values[name] = sum(getattr(figures, name) for figures in rounds)
    return kind(**values)


def receiving_table(rounds: Rounds) -> str:
    """Return the table as text; a ratio that misses its target is marked with `!`."""
    lines = [_HEAD, "-" * len(_HEAD)]
    for mode in MODES:
        found = {
            server: medians(kept) for (name, server), kept in rounds.items() if name == mode.name
        }
        peer = found.get(Peer.name)
        lines += [_line(mode, server, figures, peer) for server, figures in found.items()]
    return "\n".join(lines)


def receiving_json(rounds: Rounds) -> list[dict[str, object]]:
    """Return every measurement as plain values."""
    return [
        {"mode": mode, "server": server, "round": number} | asdict(figures)
        for (mode, server), kept in rounds.items()
        for number, figures in enumerate(kept, start=1)
    ]


def sending_table(rounds: Mapping[str, Sequence[Drained]]) -> str:
    """Return the table of drains by queue's name; a ratio that misses is marked with `!`."""
    found = {queue: medians(kept) for queue, kept in rounds.items()}
    peer = found.get(PostfixQueue.name)
    lines = [_sending_line(queue, drained, peer) for queue, drained in found.items()]
    return "\n".join([_SENDING_HEAD, "-" * len(_SENDING_HEAD), *lines])


def sending_json(rounds: Mapping[str, Sequence[Drained]]) -> list[dict[str, object]]:
    """Return every drain as plain values."""
    return [
        {"queue": queue, "round": number} | asdict(drained)
        for queue, kept in rounds.items()
        for number, drained in enumerate(kept, start=1)
    ]


def _sending_line(queue: str, drained: Drained, peer: Drained | None) -> str:
    work = f"drain {drained.messages:.0f}"
    left = (
        f"{work:<20} {queue:<20} {drained.rate:7.0f} {drained.cpu_ms:7.2f} "
        f"{drained.peak_mib:5.0f} {drained.connections:5.0f}"
    )
    repeated = f"  {drained.repeats} repeats" if drained.repeats else ""
    if peer is None or queue == PostfixQueue.name:
        return left + repeated
    rate = drained.rate / peer.rate
    cpu = drained.cpu_ms / max(peer.cpu_ms, 0.001)
    return left + f"  {rate:7.2f}x{_mark(rate >= _SENDING_TARGET)} {cpu:7.2f}x" + repeated


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
