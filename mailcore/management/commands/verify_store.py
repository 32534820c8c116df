"""`verify_store`: proves counters, UIDs, modseqs, quota and blobs from the rows.

Prints each finding and exits with 1 when there is one. Changes nothing.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailcore.store.verify import verify


class Command(BaseCommand):
    """Verifies the store."""

    help = "Prove counters, UIDs, modseqs, quota and blobs of the message store."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --no-blobs."""
        parser.add_argument(
            "--no-blobs", action="store_true", help="do not read the octets of every message"
        )

    def handle(self, *args: Any, no_blobs: bool, **options: Any) -> None:
        """Print findings; exit 1 if there are any."""
        findings = verify(with_blobs=not no_blobs)
        for finding in findings:
            self.stdout.write(str(finding))
        self.stdout.write(f"{len(findings)} findings")
        if findings:
            sys.exit(1)
