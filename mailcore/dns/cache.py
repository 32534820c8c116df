"""A bounded cache of answers, each with its own time to live (RFC 1035, 3.2.1; RFC 2308).

Holds what a resolver kept of an answer, never the answer itself: a hostile one may be 64 KiB.
Knows no DNS. For one event loop; takes no lock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class TtlCache(Generic[Value]):
    """Forgets an entry when its time is over, and the least recently used one when full."""

    def __init__(self, *, size: int, clock: Callable[[], float]) -> None:
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Value | None:
        """Return what `put` stored, or None when there is none or its time is over."""
        ends, value = self._entries.get(key, (0.0, None))
        if value is None:
            return None
        if ends <= self._clock():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value

    def put(self, key: str, value: Value, *, ttl_s: float) -> None:
        """Keep `value` for `ttl_s` seconds; zero or less keeps nothing."""
        self._entries.pop(key, None)
        if ttl_s <= 0:
            return
        self._entries[key] = (self._clock() + ttl_s, value)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
