"""What Celery runs: delivery, derivation, jobs, sweeps. Wrappers only; no state is kept here.

Losing every message of the broker loses nothing: the tables say what is to be done, and beat asks
again (architecture, section 5). No task has arguments, none is retried, all expire.
"""

from __future__ import annotations

import logging
import threading
import time
from multiprocessing import RawValue
from typing import TYPE_CHECKING, Any

import redis
from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from mailcore.store.sandbox import Sandbox

log = logging.getLogger("mailcore.tasks")

DRAIN = "mailcore.tasks.drain"
WORK_S = 600.0
# What is in flight then may take a final dot of 10 minutes; the soft limit is 25 minutes.
FINISH_S = 14 * 60.0
DERIVE_S = 60.0
_WAKE_KEY = "casilla:drain-is-asked-for"
_WAKE_S = 10
_AWAY_S = 5.0

# Shared with the worker's children, without a lock that a killed child could keep.
_is_stopping = RawValue("b", 0)


_sandbox: Sandbox | None = None  # its child leaves by itself when it is idle


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    _is_stopping.value = 1


@shared_task(name=DRAIN)  # type: ignore[untyped-decorator]
def drain() -> None:
    """Deliver until nothing is due or 10 minutes are over, then finish what is in flight."""
    # Only workers of the queue `deliver` pay for loading all of it.
    from mailcore.delivery import drain as loop

    _forget_wake()
    loop.until_idle(stop=lambda: bool(_is_stopping.value), work_s=WORK_S, finish_s=FINISH_S)


@shared_task(name="mailcore.tasks.derive")  # type: ignore[untyped-decorator]
def derive() -> int:
    """Derive contents that wait, for at most a minute; return how many that were."""
    from mailcore.delivery import reports
    from mailcore.store import derive as store_derive
    from mailcore.store import jobs as store_jobs
    from mailcore.store.sandbox import Sandbox

    global _sandbox
    _sandbox = _sandbox or Sandbox()
    ends_at, total = time.monotonic() + DERIVE_S, 0
    while time.monotonic() < ends_at and not _is_stopping.value:
        store_jobs.work(is_stopping=lambda: bool(_is_stopping.value))  # a person waits for these
        count = store_derive.derive_next(sandbox=_sandbox)
        if not count:
            break
        total += count
    reports.mark_all(now=timezone.now(), is_stopping=lambda: bool(_is_stopping.value))
    return total


@shared_task(name="mailcore.tasks.jobs")  # type: ignore[untyped-decorator]
def jobs() -> int:
    """Do what people asked for all messages of a list; return how many chunks that were."""
    from mailcore.store import jobs as store_jobs

    return store_jobs.work(is_stopping=lambda: bool(_is_stopping.value))


@shared_task(name="mailcore.tasks.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Forget what is old: every sweep there is."""
    from mailcore.delivery import sweeps
    from mailcore.store import jobs as store_jobs

    def is_stopping() -> bool:
        return bool(_is_stopping.value)

    while sweeps.has_more(sweeps.run_all(now=timezone.now(), is_stopping=is_stopping)):
        store_jobs.work(is_stopping=is_stopping)  # a person waits for these


# --- waking the worker ---

_lock = threading.Lock()
_away_until = 0.0


def wake() -> None:
    """Ask for a drain unless one is asked for already. Never raises, never waits long.

    This is `conf.dispatcher()` where there is a broker. Without an answer from it nothing is lost:
    the worker's next look at the table comes with beat.
    """
    global _away_until
    if time.monotonic() < _away_until:
        return
    try:
        if _broker().set(_WAKE_KEY, "1", nx=True, ex=_WAKE_S):
            import_string(settings.CELERY_APP).send_task(
                DRAIN, queue="deliver", expires=_WAKE_S, retry=False, ignore_result=True
            )
    except Exception:
        log.warning("tasks.broker_away", exc_info=True)
        _away_until = time.monotonic() + _AWAY_S


def _forget_wake() -> None:
    """Let the next wake-up ask again: what it is about may come after our look at the table."""
    try:
        _broker().delete(_WAKE_KEY)
    except redis.RedisError:
        log.warning("tasks.broker_away", exc_info=True)


def forget_broker() -> None:
    """Close this process's connection; the next wake-up makes one with the settings of then."""
    global _client, _away_until
    with _lock:
        client, _client, _away_until = _client, None, 0.0
    if client is not None:
        client.close()


_client: redis.Redis | None = None


def _broker() -> redis.Redis:
    """Return this process's connection to Redis; short time-outs, because commits wait for it."""
    global _client
    with _lock:
        if _client is None:
            _client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0
            )
    return _client
