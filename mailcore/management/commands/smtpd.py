"""`manage.py smtpd`: take mail on SMTP_LISTEN, and from our people on the two of submission.

With SMTP_PROCESSES above 1 it keeps as many of itself on the same ports (SO_REUSEPORT): the kernel
spreads connections over them, one that dies is started again, all stop together.
Refuses a database whose COMMIT does not mean "on disk" (G1); waits for one that is just starting.
"""

from __future__ import annotations

import logging
import signal
import ssl
import sys
import time
from argparse import SUPPRESS
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from mailcore import conf
from mailcore.checks import weak_settings
from mailcore.management.ports import bind_once
from mailcore.management.supervisor import Part, Supervisor
from mailcore.smtpd import server, service

log = logging.getLogger("mailcore.smtpd")

_DATABASE_WAIT_S = 60.0
_POLL_S = 0.2


class Command(BaseCommand):
    """Run the SMTP server in the foreground."""

    help = "Receive mail on SMTP_LISTEN, SUBMISSION_LISTEN and SUBMISSIONS_LISTEN until SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what the supervisor says to its processes."""
        parser.add_argument("--process", type=int, default=0, help=SUPPRESS)

    def handle(self, *args: Any, process: int, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        for problem in _weak_settings():
            raise CommandError(problem)
        connection.close()  # the server's threads have their own
        try:
            if process or conf.smtp_processes() == 1:
                server.run()
            else:
                _supervise(conf.smtp_processes())
        except ssl.SSLError as error:
            raise CommandError(f"TLS_CERT and TLS_KEY cannot be used: {error}") from error
        except OSError as error:
            places = ", ".join(f"{door.host}:{door.port}" for door in service.from_settings())
            raise CommandError(f"cannot take mail on {places}: {error}") from error


def _supervise(count: int) -> None:
    """Keep `count` processes on the same ports until SIGTERM or SIGINT.

    Raises OSError when a port is in use, ssl.SSLError when the certificate cannot be used.
    """
    for door in service.from_settings():
        bind_once(door.host, door.port)  # who shares a port would not be told that it is taken
    # Made here if need be: two processes would make two.
    server.certificates(data_dir=conf.data_dir(), hostname=conf.hostname())
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "smtpd", "--process"]
    parts = [Part(f"smtpd {n}", [*command, str(n)]) for n in range(1, count + 1)]
    supervisor = Supervisor(parts, say=lambda line: log.warning("smtpd.process: %s", line))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    try:
        supervisor.start()
    finally:
        supervisor.run()


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
