"""What happened to each message and connection: rows that outlive both.

`record` joins the caller's transaction: no message without its events, no event without its
message. `Behind` is for refusals and connections, which must not cost a transaction each.
"""

from mailcore.trace.behind import Behind
from mailcore.trace.events import (
    Entry,
    fit,
    of_trace,
    own_mail_counts,
    record,
    values,
    written_to,
)

__all__ = [
    "Behind",
    "Entry",
    "fit",
    "of_trace",
    "own_mail_counts",
    "record",
    "values",
    "written_to",
]
