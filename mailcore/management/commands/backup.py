"""`backup DIR`: a copy of the whole system, made while it runs and read back.

Exit 1 with one line when it cannot be made; then DIR does not exist, and `DIR.partial` keeps what
was copied for the next try.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from mailcore.backup.save import save
from mailcore.errors import MailError


class Command(BaseCommand):
    """Adapter of `backup.save`."""

    help = "Copy database and blobs into a new directory, while everything runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the directory and what belongs into it."""
        parser.add_argument("directory", metavar="DIR", type=Path, help="must not exist")
        parser.add_argument(
            "--reuse", metavar="OLDER", type=Path, help="link blobs to those of an earlier backup"
        )
        parser.add_argument(
            "--with-keys",
            action="store_true",
            help="SECRET_KEY, SECRETS_KEY and the self-signed certificate too: keep it locked away",
        )

    def handle(
        self, *args: Any, directory: Path, reuse: Path | None, with_keys: bool, **options: Any
    ) -> None:
        """Make the copy and say what is in it and what is not."""
        try:
            info = save(target=directory, now=timezone.now(), reuse=reuse, with_keys=with_keys)
        except (MailError, DatabaseError, OSError) as error:
            raise CommandError(f"no backup: {error}") from error
        self.stdout.write(
            f"{directory}: database ({info.vendor} {info.server}) and {info.blob_count} blobs"
            f" of {info.blob_bytes} octets, read back and equal"
        )
        if with_keys:
            self.stdout.write("SECRET_KEY and SECRETS_KEY are in it: keep it locked away")
        else:
            self.stdout.write("not in it: SECRET_KEY, SECRETS_KEY, certificates. Keep them too")
