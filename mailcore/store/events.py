"""Who wants to know that a mailbox changed: called after COMMIT with its id and modseq.

Carries ids only; a listener reads what changed from the tables. Listeners of this process, and
open pages of other processes through `live`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from mailcore.live import channel

log = logging.getLogger("mailcore.store")

Listener = Callable[[int, int], None]
_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """Call `listener(mailbox_id, modseq)` after each committed change from now on."""
    _listeners.append(listener)


def unsubscribe(listener: Listener) -> None:
    """Stop calling `listener`. Raises ValueError when it was not subscribed."""
    _listeners.remove(listener)


def publish(*, mailbox_id: int, modseq: int) -> None:
    """Tell every listener. The change is committed: a listener that fails is logged, no more."""
    channel.tell((mailbox_id,), "mail")
    for listener in tuple(_listeners):
        try:
            listener(mailbox_id, modseq)
        except Exception:
            log.exception("store.listener_failed", extra={"fields": {"mailbox_id": mailbox_id}})
