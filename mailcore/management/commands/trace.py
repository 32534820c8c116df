"""`manage.py trace QUERY [--json]`: what happened to a message, newest first.

QUERY is an address, a Message-ID (in angle brackets if it must not be taken for an address) or a
trace id as a 250 names it. Prints nothing and exits 0 when nothing is known.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailcore.management.printing import json_line, moment, second, table
from mailcore.trace import Entry
from mailcore.trace.search import LIMIT, search

_HEAD = ("at (UTC)", "kind", "from", "to", "peer", "reply and detail")


class Command(BaseCommand):
    """Adapter of `trace.search`."""

    help = "Show the events of a message, an address or a connection, newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("query", metavar="QUERY", help="address, Message-ID or trace id")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--limit", type=int, default=LIMIT, help=f"at most {LIMIT} events")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the events."""
        found = search(query=options["query"], limit=max(0, options["limit"]))
        if options["json"]:
            for entry in found.entries:
                self.stdout.write(json_line(_values(entry)))
        elif found.entries:
            self.stdout.write(table(_HEAD, [_row(entry) for entry in found.entries]))
            if found.before:
                self.stdout.write("... there are older ones")


def _values(entry: Entry) -> dict[str, object]:
    return {
        "trace_id": entry.trace_id.hex,
        "at": moment(entry.at),
        "kind": entry.kind,
        "reverse_path": entry.reverse_path,
        "forward_path": entry.forward_path,
        "peer": entry.peer,
        "reply": entry.reply,
        "detail": entry.detail or {},
    }


def _row(entry: Entry) -> tuple[str, ...]:
    said = (entry.reply, json.dumps(entry.detail) if entry.detail else "")
    return (
        second(entry.at),
        entry.kind,
        entry.reverse_path or "<>",
        entry.forward_path or "-",
        entry.peer or "-",
        " ".join(part for part in said if part),
    )
