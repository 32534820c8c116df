"""`manage.py demo`: make the demonstration domains, people and mail in an empty installation."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mailcore.management import demo
from mailcore.management.accounts import password_file


class Command(BaseCommand):
    """Adapter of `management.demo`."""

    help = "Make crepes.test and hamburger.test with alice, bob, an operator and some mail."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and print the passwords; exit 1 when there is a domain already."""
        accounts = demo.make_if_empty()
        if not accounts:
            raise CommandError("there is a domain already: the demonstration is for an empty one")
        for account in accounts:
            self.stdout.write(f"{account.login}  password {account.password}")
        self.stdout.write(f"passwords are kept in {password_file()}")
