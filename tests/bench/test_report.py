"""The table shows medians, ratios to the peer, and marks what misses its target."""

from __future__ import annotations

from bench.drain import Drained
from bench.measure import MODES, Figures
from bench.report import medians, receiving_table, sending_table


def figures(rate: float, *, failures: int = 0) -> Figures:
    return Figures(
        messages=100,
        rate=rate,
        accepted_rate=rate,
        p50_ms=5.0,
        p95_ms=10.0,
        cpu_ms=1.0,
        client_cpu_ms=0.1,
        peak_mib=50.0,
        failures=failures,
    )


def test_medians_are_of_the_rounds_and_failures_are_summed():
    found = medians([figures(1, failures=1), figures(9), figures(4, failures=2)])
    assert (found.rate, found.failures) == (4, 3)


def test_ratio_that_misses_is_marked():
    mode = MODES[0].name
    rounds = {
        (mode, "Postfix + Dovecot"): [figures(100)],
        (mode, "Casilla, SQLite"): [figures(300)],
        (mode, "Casilla, PostgreSQL"): [figures(150)],
    }
    lines = receiving_table(rounds).splitlines()
    assert "3.00x " in lines[3]
    assert "1.50x!" in lines[4]
    assert "1.00x!" in lines[3]


def test_without_a_peer_there_are_no_ratios():
    text = receiving_table({(MODES[0].name, "Casilla, SQLite"): [figures(300)]})
    assert "300" in text
    assert "x" not in text.splitlines()[2].replace("SQLite", "")


def drained(rate: float, *, repeats: int = 0) -> Drained:
    return Drained(
        messages=3000,
        rate=rate,
        cpu_ms=1.0,
        sink_cpu_ms=0.1,
        peak_mib=50.0,
        connections=20,
        repeats=repeats,
    )


def test_drain_that_misses_its_ratio_is_marked():
    rounds = {
        "Postfix": [drained(90), drained(100), drained(800)],
        "Casilla, SQLite": [drained(150)],
        "Casilla, PostgreSQL": [drained(149, repeats=2), drained(149, repeats=1)],
    }
    lines = sending_table(rounds).splitlines()
    assert "100" in lines[2]
    assert "x" not in lines[2].replace("Postfix", "")
    assert "1.50x " in lines[3]
    assert "1.49x!" in lines[4]
    assert lines[4].endswith("3 repeats")
