"""Row 6 of the targets: every queue in turn drains the same number of messages into one sink."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import postfix_queue
from bench.casilla_queue import CasillaQueue
from bench.drain import MESSAGES, Drained, Queue, drain
from bench.report import sending_json, sending_table
from tests.support.servers import Cluster, find_postgresql_bin, free_port

Say = Callable[[str], None]
_LEGEND = """
rate from the first connection to the empty queue; ratios to the peer: rate at least 1.5 times;
! misses it. Each queue's CPU and memory with its children, the start of a runner included."""


def run(
    directory: Path, *, rounds: int, messages: int = MESSAGES, only: str, say: Say
) -> list[dict[str, object]]:
    """Measure all rounds and print the table; return every figure.

    Raises NotDrainedError, RuntimeError, CalledProcessError, TimeoutError.
    """
    sink_port = free_port()
    kept: dict[str, list[Drained]] = defaultdict(list)
    with ExitStack() as stack:
        found = _queues(directory, sink_port=sink_port, say=say)
        chosen = [each for each in found if only in each.name.lower()]
        for queue in chosen:
            stack.callback(queue.stop)
            queue.start()
        for number in range(rounds):
            for queue in chosen:
                load = os.getloadavg()[0]
                figures = drain(queue, sink_port=sink_port, count=messages, seed=number)
                kept[queue.name].append(figures)
                say(
                    f"round {number + 1}/{rounds}  {queue.name:<20} {figures.rate:7.0f}/s over "
                    f"{figures.connections} connections, {figures.repeats} repeats, "
                    f"sink CPU {figures.sink_cpu_ms:.2f} ms, load average before {load:.1f}"
                )
        say("\n" + sending_table(kept))
        say(_LEGEND)
        for queue in chosen:
            queue.verify()
        say("every message was delivered; audit_mail is content")
    return sending_json(kept)


def _queues(directory: Path, *, sink_port: int, say: Say) -> list[Queue]:
    """Return the queues that can run here, the peer first; say which cannot."""
    queues: list[Queue] = []
    if reason := postfix_queue.missing():
        say(f"skipped the peer: {reason}; there are no ratios")
    else:
        queues.append(postfix_queue.PostfixQueue(directory / "peer", sink_port=sink_port))
    queues.append(CasillaQueue(directory / "sqlite", sink_port=sink_port))
    if find_postgresql_bin():
        cluster = Cluster(directory / "cluster")
        place = directory / "postgresql"
        queues.append(CasillaQueue(place, sink_port=sink_port, cluster=cluster))
    else:
        say("skipped PostgreSQL: no initdb (Debian: postgresql)")
    return queues
