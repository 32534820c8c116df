"""Everything that is forgotten by age, in one call: store, queue, sign-ins and sessions.

The `derive` process runs it hourly; a scheduler may. Each sweep commits on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.contrib.sessions.models import Session

from mailcore.directory import sign_ins, throttle
from mailcore.queue import sweep as queue_sweep
from mailcore.store import sweep


def run_all(*, now: datetime, is_stopping: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Run every sweep and return how many rows each removed. Raises DatabaseError, OSError.

    Where `has_more` says so, call it again soon, after what people wait for.
    """
    counts = sweep.run_all(now=now, is_stopping=is_stopping)
    if not is_stopping():
        # After the trace: `audit_mail` misses no row of a message that the trace still knows.
        counts["queue"] = queue_sweep.forget_finished(now=now)
        counts["throttle"] = throttle.sweep(now=now)
        counts["sessions"] = Session.objects.filter(expire_date__lt=now).delete()[0]
        counts["sign_ins"] = sign_ins.sweep()
    return counts


def has_more(counts: Mapping[str, int]) -> bool:
    """Return whether a sweep ended because it had done its portion."""
    return any(count >= sweep.PORTION for count in counts.values())
