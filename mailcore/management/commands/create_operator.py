"""`manage.py create_operator LOGIN`: a user who may administer everything."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from mailcore.directory import users
from mailcore.management.arguments import add_password, one_line_errors, read_password


class Command(BaseCommand):
    """Adapter of `directory.users.create_operator`."""

    help = "Make an operator. A generated password is printed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("login", metavar="LOGIN")
        add_password(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the operator; print the password when nobody gave one."""
        given = read_password() if options["password_stdin"] else ""
        password = given or users.generate_password()
        with one_line_errors():
            user = users.create_operator(
                login=options["login"], password=password, now=timezone.now()
            )
        self.stdout.write(f"operator {user.login} created")
        if not given:
            self.stdout.write(f"password: {password}")
