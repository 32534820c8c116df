"""At the start of a web process: the log shows the setup link while nobody is an operator.

In a thread of its own, because the start waits for nothing and an event loop may run already. A
database that is not ready yet (no tables, not there) is no reason not to start.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from mailcore.directory import setup

log = logging.getLogger("webmail.console")
ONE_LINK_FOR = timedelta(minutes=1)


def tell() -> None:
    """Log the link soon, unless another process of this start has told one."""
    threading.Thread(target=_tell, name="welcome", daemon=True).start()


def _tell() -> None:
    try:
        log_link()
    except DatabaseError as error:
        log.warning("setup.not_asked", extra={"fields": {"error": repr(error)}})
    finally:
        connection.close()


def log_link() -> bool:
    """Log a fresh link if one is wanted; return whether it was. Raises DatabaseError."""
    token = setup.make_token(now=timezone.now(), unless_within=ONE_LINK_FOR)
    if token:
        log.warning("setup.link", extra={"fields": {"url": setup.link(token)}})
    return bool(token)
