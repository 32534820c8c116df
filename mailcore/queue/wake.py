"""Wake the runner on this machine: the embedded default, where it looks at the table itself."""

from __future__ import annotations


def local() -> None:
    """Do nothing: `queue_runner` looks every second, and the table is the truth."""
