"""`manage.py create_domain NAME`: take mail for a domain."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from mailcore.directory import domains
from mailcore.management.arguments import one_line_errors


class Command(BaseCommand):
    """Adapter of `directory.domains.create_domain`."""

    help = "Take mail for a domain; postmaster and abuse are made with it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("name", metavar="NAME")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the domain."""
        with one_line_errors():
            domain = domains.create_domain(name=options["name"], now=timezone.now())
        self.stdout.write(f"domain {domain.name} created")
