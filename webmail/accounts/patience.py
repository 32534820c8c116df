"""Holds back the answer to a wrong password, so that guessing is slow (guarantees, AUTH).

A thread waits for each: only so many at a time, further ones are told at once to come back later.
How long is `directory.throttle`'s to say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

WAITING_MAX = 32

_places = threading.BoundedSemaphore(WAITING_MAX)


def hold_back(delay: timedelta, *, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Wait for `delay`; return False at once when too many wait already."""
    if not _places.acquire(blocking=False):
        return False
    try:
        sleep(delay.total_seconds())
    finally:
        _places.release()
    return True
