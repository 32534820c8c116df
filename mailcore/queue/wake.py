"""Wake the runner after a COMMIT that made something due, once a transaction.

`local` is the embedded default, where the runner looks at the table itself.
"""

from __future__ import annotations

from django.db import connection, transaction

from mailcore import conf


def after_commit() -> None:
    """Tell the runner after COMMIT. A dispatcher that fails costs time only: it is logged."""
    if not any(entry[1] is _dispatch for entry in connection.run_on_commit):
        transaction.on_commit(_dispatch, robust=True)


def local() -> None:
    """Do nothing: `queue_runner` looks every second, and the table is the truth."""


def _dispatch() -> None:
    conf.dispatcher()()
