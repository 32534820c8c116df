"""Casilla under test: `manage.py smtpd` on SQLite or on a PostgreSQL cluster of its own.

No derive worker: rows 1 to 4 of the targets end where the mail is stored.
"""

from __future__ import annotations

from pathlib import Path

from bench.installation import Installation
from bench.server import DOMAIN, RECIPIENTS
from tests.support.servers import Cluster, free_port, wait_for_port

_COUNT = "SELECT count(*) FROM mailcore_message"
_PEOPLE = f"""
from django.core.management import call_command
call_command("create_domain", "{DOMAIN}")
for number in range({RECIPIENTS}):
    call_command("create_mailbox", f"user{{number}}@{DOMAIN}")
"""


class Casilla:
    """Casilla in `directory`; with a cluster on PostgreSQL, without on SQLite."""

    def __init__(self, directory: Path, *, cluster: Cluster | None = None) -> None:
        self.port = free_port()
        settings = {
            "SMTP_LISTEN": f"127.0.0.1:{self.port}",
            "SUBMISSION_LISTEN": f"127.0.0.1:{free_port()}",
            "SUBMISSIONS_LISTEN": f"127.0.0.1:{free_port()}",
        }
        self.installation = Installation(directory, cluster=cluster, settings=settings)
        self.name = f"Casilla, {self.installation.database}"

    def start(self) -> None:
        """Make the database and its people, then the server."""
        self.installation.create()
        self.installation.manage("shell", "--verbosity", "0", "--command", _PEOPLE)
        self.installation.run("smtpd")
        wait_for_port(self.port, seconds=30)

    def stop(self) -> None:
        """Stop the server, then its database."""
        self.installation.stop()

    def pids(self) -> list[int]:
        """Return the server and the cluster's postmaster."""
        return self.installation.pids()

    def stored_count(self) -> int:
        """Count the rows of committed messages."""
        return self.installation.number(_COUNT)

    def last_stored_at(self, accepted_at: float) -> float:
        """Return `accepted_at`: the 250 comes after COMMIT."""
        return accepted_at

    def verify(self) -> None:
        """Prove the rows. Raises CalledProcessError."""
        self.installation.manage("verify_store")
