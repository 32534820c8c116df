"""`restore DIR`: fills an empty system from what `backup DIR` made.

Exit 1 with one line and nothing changed when a file is damaged, the system is not empty, or the
backup is of another database or a newer version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from mailcore.backup.restore import Restored, restore
from mailcore.errors import MailError


class Command(BaseCommand):
    """Adapter of `backup.restore`."""

    help = "Fill an empty system from a backup."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the directory."""
        parser.add_argument("directory", metavar="DIR", type=Path)
        parser.add_argument(
            "--any-keys", action="store_true", help="go on though SECRETS_KEY is another one"
        )

    def handle(self, *args: Any, directory: Path, any_keys: bool, **options: Any) -> None:
        """Bring the copy back and say what is left to do."""
        try:
            done = restore(source=directory.absolute(), any_keys=any_keys)
        except (MailError, DatabaseError, OSError) as error:
            raise CommandError(f"not restored: {error}") from error
        self.stdout.write(
            f"restored what {done.info.hostname} had at {done.info.made_at}:"
            f" database and {done.info.blob_count} blobs"
        )
        for line in _to_do(done):
            self.stdout.write(line)


def _to_do(done: Restored) -> list[str]:
    lines = []
    if done.replaced_keys:
        lines.append(f"keys are those of the backup: {', '.join(done.replaced_keys)}")
    if done.other_keys:
        lines.append(f"other keys than in the backup: {', '.join(done.other_keys)}")
    if done.pending_migrations:
        lines.append("the backup is of an older version: run manage.py migrate")
    lines.append("look at manage.py queue before you start: what waits there will be sent")
    return lines
