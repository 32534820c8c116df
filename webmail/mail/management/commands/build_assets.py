"""`manage.py build_assets`: font, icons and catalogues, then all static files (for serve, Docker).

A second run with nothing new takes well under a second.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from webmail.assets.build import build


class Command(BaseCommand):
    """Build derived assets and collect static files."""

    help = "Build font, icons and message catalogues, and collect the static files."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --no-collect."""
        parser.add_argument(
            "--no-collect", action="store_true", help="leave the static files where they are"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Build, then collect."""
        build(
            assets=settings.ASSETS_DIR,
            locale_source=settings.BASE_DIR / "locale",
            locale_target=settings.LOCALE_DIR,
        )
        if not options["no_collect"]:
            call_command("collectstatic", interactive=False, verbosity=0)
