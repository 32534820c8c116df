"""Casilla's queue under test: filled while no runner runs, drained by `manage.py queue_runner`."""

from __future__ import annotations

from pathlib import Path

from bench.installation import Installation
from bench.server import DOMAIN, RECIPIENTS
from tests.support.servers import Cluster, free_port

_WAITING = "SELECT count(*) FROM mailcore_queuedrecipient WHERE state = 'queued'"
_DELIVERED = "SELECT count(*) FROM mailcore_queuedrecipient WHERE state = 'delivered'"
_FILL = """
import uuid
from django.db import transaction
from django.utils import timezone
from bench.messages import Template
from mailcore import rawmail
from mailcore.queue.enqueue import Outgoing, Recipient, enqueue

template, prefix = Template(size={size}, seed={seed}), b"Received: by bench.test\\r\\n"
for start in range(0, {count}, 100):
    with transaction.atomic():
        for number in range(start, min({count}, start + 100)):
            raw = template.make(number)[:-len(b".\\r\\n")]
            blob = rawmail.save(rawmail.prepare(raw), now=timezone.now())
            outgoing = Outgoing(
                reverse_path="load@client.test",
                blob_id=blob.pk,
                prefix=prefix,
                size=len(prefix) + len(raw),
                origin="forward",
                trace_id=uuid.uuid4(),
            )
            path = f"user{{number % {recipients}}}@{domain}"
            enqueue(outgoing=outgoing, recipients=[Recipient(path)], now=timezone.now())
"""


class CasillaQueue:
    """Casilla in `directory` that sends all mail to the sink."""

    def __init__(self, directory: Path, *, sink_port: int, cluster: Cluster | None = None) -> None:
        settings = {
            "SMTP_LISTEN": f"127.0.0.1:{free_port()}",
            "OUTBOUND_MODE": "direct",
            "SMTP_ROUTES": f"*=127.0.0.1:{sink_port}",
            "OUTBOUND_ALLOW_NETWORKS": "127.0.0.0/8",
        }
        self._installation = Installation(directory, cluster=cluster, settings=settings)
        self.name = f"Casilla, {self._installation.database}"
        self._filled_count = 0

    def start(self) -> None:
        """Make the database."""
        self._installation.create()

    def stop(self) -> None:
        """Stop the runner and the database."""
        self._installation.stop()

    def fill(self, count: int, *, size: int, seed: int) -> None:
        """Queue `count` different messages while no runner runs. Raises CalledProcessError."""
        if "queue_runner" in self._installation.running():
            self._installation.end("queue_runner")
        script = _FILL.format(
            count=count, size=size, seed=seed, recipients=RECIPIENTS, domain=DOMAIN
        )
        self._installation.manage("shell", "--verbosity", "0", "--command", script)
        self._filled_count += count

    def release(self) -> None:
        """Start the runner."""
        self._installation.run("queue_runner")

    def waiting_count(self) -> int:
        """Count the recipients that are still queued."""
        return self._installation.number(_WAITING)

    def pids(self) -> list[int]:
        """Return the runner and the cluster's postmaster."""
        return self._installation.pids()

    def verify(self) -> None:
        """All that was ever queued is delivered, and the books are sound.

        Raises RuntimeError, CalledProcessError.
        """
        delivered = self._installation.number(_DELIVERED)
        if delivered != self._filled_count:
            raise RuntimeError(f"{self.name}: {delivered} of {self._filled_count} are delivered")
        self._installation.manage("audit_mail")
