"""Log lines: an event name and its fields, as text or one JSON object a line.

Values are escaped, so that nothing a peer sent can forge a line. Writers pass fields as
`extra={"fields": {...}}`; they never pass message bodies or passwords.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = getattr(record, "fields", None)
    return dict(fields) if isinstance(fields, dict) else {}


class TextFormatter(logging.Formatter):
    """`2026-11-21T04:05:06Z INFO smtpd smtp.accepted trace_id='...'` for people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one escaped line, followed by a traceback when there is one."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = record.getMessage().encode("unicode_escape").decode("ascii")
        fields = "".join(f" {name}={value!r}" for name, value in _fields(record).items())
        line = f"{at} {record.levelname} {record.name} {message}{fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line, times RFC 3339 UTC, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object without line breaks."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)
