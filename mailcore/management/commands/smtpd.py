"""`manage.py smtpd`: take mail on SMTP_LISTEN, and from our people on the two of submission.

Refuses a database whose COMMIT does not mean "on disk" (G1); waits for one that is just starting.
"""

from __future__ import annotations

import ssl
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from mailcore.checks import weak_settings
from mailcore.smtpd import server, service

_DATABASE_WAIT_S = 60.0
_POLL_S = 0.2


class Command(BaseCommand):
    """Run the SMTP server in the foreground."""

    help = "Receive mail on SMTP_LISTEN, SUBMISSION_LISTEN and SUBMISSIONS_LISTEN until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        for problem in _weak_settings():
            raise CommandError(problem)
        connection.close()  # the server's threads have their own
        try:
            server.run()
        except ssl.SSLError as error:
            raise CommandError(f"TLS_CERT and TLS_KEY cannot be used: {error}") from error
        except OSError as error:
            places = ", ".join(f"{door.host}:{door.port}" for door in service.from_settings())
            raise CommandError(f"cannot take mail on {places}: {error}") from error


def _weak_settings() -> list[str]:
    """Return what is wrong with the database as soon as it answers. Raises CommandError."""
    ends = time.monotonic() + _DATABASE_WAIT_S
    while True:
        try:
            return weak_settings()
        except OperationalError as error:
            connection.close()
            if time.monotonic() >= ends:
                raise CommandError(f"the database does not answer: {error}") from error
        time.sleep(_POLL_S)
