"""`manage.py queue_runner`: send what the queue holds until SIGTERM (the embedded part `queue`).

Looks at the table every second. With a broker, Celery's worker runs the same loop instead. A kill
loses nothing: what was claimed is due again when its lease ends.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from mailcore.delivery import drain


class Command(BaseCommand):
    """Delivers until it is told to stop; with --once until nothing is due."""

    help = "Send queued mail to other hosts."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --once."""
        parser.add_argument("--once", action="store_true", help="end when nothing is due")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        """Run in the foreground; on SIGTERM finish what is in flight, at most 25 seconds."""
        connection.close()  # the loop's threads have their own
        if once:
            drain.until_idle()
        else:
            drain.until_stopped()
