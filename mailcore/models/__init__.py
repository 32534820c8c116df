"""Tables of the mail system (design: docs/flow.md and the ADRs). Registers the modules with Django.

Re-exports no class: importers name the module, so that import contracts can say who may touch what.
"""

from mailcore.models import (
    blob,
    directory,
    folder,
    identity,
    message,
    personal,
    queue,
    remote,
    report,
    search,
    trace,
)

__all__ = [
    "blob",
    "directory",
    "folder",
    "identity",
    "message",
    "personal",
    "queue",
    "remote",
    "report",
    "search",
    "trace",
]
