"""`export_mailbox ADDRESS --format jsonl|mbox|maildir PATH`: a mailbox as files.

Never overwrites. Every message is checked against its digest while it is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mailcore.directory.mailboxes import parse_own
from mailcore.errors import MailError
from mailcore.models.directory import Mailbox
from mailcore.store.export import export_mailbox


class Command(BaseCommand):
    """Exports a mailbox."""

    help = "Write all messages of a mailbox to a file or a Maildir."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address, the format and the path."""
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("path", metavar="PATH", type=Path)
        parser.add_argument("--format", choices=("jsonl", "mbox", "maildir"), required=True)

    def handle(self, *args: Any, address: str, path: Path, **options: Any) -> None:
        """Export, or say in one line why not and exit with 1."""
        try:
            count = export_mailbox(mailbox=_mailbox(address), form=options["format"], path=path)
        except FileExistsError as error:
            raise CommandError(f"{path} exists already") from error
        except (MailError, OSError) as error:
            raise CommandError(f"not exported: {error}") from error
        self.stdout.write(f"{count} messages exported")


def _mailbox(text: str) -> Mailbox:
    address = parse_own(text)
    found = Mailbox.objects.filter(
        addresses__domain__name=address.domain, addresses__local_part=address.local_part
    ).first()
    if found is None:
        raise CommandError(f"no mailbox has the address {text}")
    return found
