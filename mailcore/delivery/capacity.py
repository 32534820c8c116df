"""Is there room on the disk? Mail is refused for now before the disk is full (RFC 3463, 4.3.1).

Looks at most once a second: the answer is asked for with every MAIL.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from mailcore import conf

_LOOK_EVERY_S = 1.0
_looked: dict[Path, tuple[float, bool]] = {}


def has_room(*, path: Path | None = None) -> bool:
    """Return whether more is free than max(DISK_FREE_MIN, 5 %, three of the largest messages)."""
    place = path or conf.data_dir()
    at, answer = _looked.get(place, (-_LOOK_EVERY_S, True))
    now = time.monotonic()
    if now - at >= _LOOK_EVERY_S:
        answer = _look(place)
        _looked[place] = (now, answer)
    return answer


def _look(place: Path) -> bool:
    usage = shutil.disk_usage(place)
    wanted = max(conf.disk_free_min(), usage.total // 20, 3 * conf.message_size_limit())
    # A small disk could never satisfy the floor; the operator sets DISK_FREE_MIN to 0 there.
    return usage.free > (wanted if conf.disk_free_min() else 0)
