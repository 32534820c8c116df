"""`manage.py create_alias ADDRESS TARGET...`: an address that leads to others."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from mailcore.directory import aliases
from mailcore.management.arguments import one_line_errors


class Command(BaseCommand):
    """Adapter of `directory.aliases.create_alias`."""

    help = "Make an alias of one or more addresses, ours or elsewhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("targets", metavar="TARGET", nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the alias."""
        with one_line_errors():
            aliases.create_alias(
                address=options["address"], targets=options["targets"], now=timezone.now()
            )
        self.stdout.write(f"alias {options['address']} created")
