"""Runs the delivery loop with everything real: the settings' resolver, the client, the threads.

`queue_runner` runs it until SIGTERM, a Celery task until nothing is due. What a process has
learnt of names and hosts outlives a run.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import uvloop

from mailcore import conf
from mailcore.delivery import bounce
from mailcore.delivery.hosts import MarkedHosts
from mailcore.delivery.release import release
from mailcore.delivery.runner import FINISH_S, POLL_S, Ends, Runner
from mailcore.delivery.threads import Threads
from mailcore.dns.resolver import DnsResolver
from mailcore.mime.transcode import to_7bit
from mailcore.smtp.client import Client

_GARBAGE = 20_000  # new objects until the collector looks at them


def until_stopped(*, finish_s: float = FINISH_S) -> None:
    """Deliver until SIGTERM or SIGINT; then finish what is in flight within `finish_s` seconds."""
    _run(Ends(stop=lambda: False), finish_s=finish_s, signals=(signal.SIGTERM, signal.SIGINT))


def until_idle(
    *,
    stop: Callable[[], bool] = lambda: False,
    work_s: float | None = None,
    finish_s: float = FINISH_S,
) -> None:
    """Deliver until nothing is due, `work_s` seconds are over, `stop` says so, or SIGTERM.

    What is in flight then has `finish_s` seconds more.
    """
    ends = Ends(stop=stop, work_s=work_s, when_idle=True)
    _run(ends, finish_s=finish_s, signals=(signal.SIGTERM,))


def _run(ends: Ends, *, finish_s: float, signals: Sequence[int]) -> None:
    # What is loaded by now lives as long as the process, and messages in flight are freed without
    # the collector: looking at them again and again for garbage took a tenth of the work.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(_deliver(ends, finish_s=finish_s, signals=signals))


async def _deliver(ends: Ends, *, finish_s: float, signals: Sequence[int]) -> None:
    threads = Threads()
    runner = Runner(
        resolver=_resolver(conf.dns_servers()),
        open_client=partial(Client.open, transcode=to_7bit),
        report=bounce.report,
        release=release,
        threads=threads,
        hosts=_hosts(),
    )
    loop = asyncio.get_running_loop()
    # Only the main thread hears signals; elsewhere somebody else has to say stop.
    heard = signals if threading.current_thread() is threading.main_thread() else ()
    for number in heard:
        loop.add_signal_handler(number, runner.stop)
    try:
        await runner.run(ends, poll_s=POLL_S, finish_s=finish_s)
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
        threads.close()


@lru_cache(maxsize=1)
def _resolver(servers: tuple[tuple[str, int], ...]) -> DnsResolver:
    return DnsResolver(servers=servers)


@lru_cache(maxsize=1)
def _hosts() -> MarkedHosts:
    return MarkedHosts()
