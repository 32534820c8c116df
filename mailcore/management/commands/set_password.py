"""`manage.py set_password LOGIN --password-stdin`: a new password, which ends all sessions."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mailcore.directory import users
from mailcore.management.arguments import add_password, one_line_errors, read_password


class Command(BaseCommand):
    """Adapter of `directory.users.set_password`."""

    help = "Set the password of a user; all sessions of the user end."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("login", metavar="LOGIN")
        add_password(parser, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Set the password."""
        password = read_password()
        with one_line_errors():
            user = users.set_password(login=options["login"], password=password)
        self.stdout.write(f"password of {user.login} set")
