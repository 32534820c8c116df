"""`manage.py create_mailbox ADDRESS`: a mailbox and the user who owns it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from mailcore.directory import mailboxes, users
from mailcore.management.arguments import add_password, one_line_errors, read_password, size


class Command(BaseCommand):
    """Adapter of `directory.mailboxes.create_mailbox`."""

    help = "Make a mailbox; its login is the address. A generated password is printed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("--quota", type=size, metavar="SIZE", help="such as 500M or 1G")
        add_password(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the mailbox; print the password when nobody gave one."""
        given = read_password() if options["password_stdin"] else ""
        password = given or users.generate_password()
        with one_line_errors():
            made = mailboxes.create_mailbox(
                address=options["address"],
                password=password,
                quota_bytes=options["quota"],
                now=timezone.now(),
            )
        self.stdout.write(f"mailbox {made.address} created")
        if not given:
            self.stdout.write(f"password: {password}")
