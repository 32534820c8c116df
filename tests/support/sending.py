"""The real delivery loop on loopback: queue, runner, resolver and client; the clock is the test's.

outside = Outside({"remote.test": mta})
queued = post("bob@remote.test", now=clock.now())
outside.deliver(clock)
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Any, Self

from django.db import transaction

from mailcore import rawmail
from mailcore.delivery import bounce
from mailcore.delivery.hosts import MarkedHosts
from mailcore.delivery.leases import RENEW_S
from mailcore.delivery.outbound import OpenClient
from mailcore.delivery.release import release
from mailcore.delivery.runner import Ends, Runner
from mailcore.delivery.threads import Threads
from mailcore.dns.resolver import DnsResolver
from mailcore.mime.transcode import to_7bit
from mailcore.models.message import Message
from mailcore.models.queue import QueuedRecipient
from mailcore.queue import enqueue
from mailcore.queue.outcome import Report
from mailcore.smtp.client import Client, Timeouts
from tests.support.clock import Clock
from tests.support.deliveries import make_message
from tests.support.dns_server import DnsServer
from tests.support.people import Person

PREFIX = b"Received: from localhost by mx.hamburger.test\r\n"
QUICK = Timeouts(
    connect_s=5, banner_s=2, ehlo_s=2, tls_s=5, mail_s=2, rcpt_s=2, data_s=2, block_s=2,
    final_dot_s=2, quit_s=1,
)  # fmt: skip


def post(
    *forward_paths: str,
    now: datetime,
    reverse_path: str = "alice@hamburger.test",
    raw: bytes = b"",
    notify: str = "",
    origin: str = "submission",
    **columns: Any,
) -> list[QueuedRecipient]:
    """Queue a message as a submission does; return its rows by forward-path."""
    raw = raw or make_message(message_id=f"{uuid.uuid4()}@m.test", sender=reverse_path)
    trace_id = uuid.uuid4()
    with transaction.atomic():
        blob = rawmail.save(rawmail.prepare(raw), now=now)
        enqueue.enqueue(
            outgoing=enqueue.Outgoing(
                reverse_path=reverse_path,
                blob_id=blob.pk,
                prefix=PREFIX,
                size=len(PREFIX) + len(raw),
                origin=origin,
                trace_id=trace_id,
                **columns,
            ),
            recipients=[enqueue.Recipient(path, notify=notify) for path in forward_paths],
            now=now,
        )
    return rows(trace_id)


def rows(trace_id: uuid.UUID) -> list[QueuedRecipient]:
    """Return the recipients of a message by forward-path."""
    found = QueuedRecipient.objects.filter(message__trace_id=trace_id)
    return list(found.order_by("forward_path").select_related("message"))


def inbox(person: Person) -> list[bytes]:
    """Return the messages in somebody's inbox, oldest first, as they are stored."""
    found = Message.objects.filter(folder=person.folder()).order_by("pk")
    return [rawmail.read(row.content.blob) for row in found.select_related("content__blob")]


def again(row: QueuedRecipient) -> QueuedRecipient:
    """Return a row as it is now."""
    return QueuedRecipient.objects.get(pk=row.pk)


class Outside:
    """The world outside: a name server whose zone leads to 127.0.0.1, whatever the domain.

    `hosts` maps a domain to addresses of its MX; all listen on the port of the settings.
    """

    def __init__(self, zone: Mapping[str, Mapping[str, Sequence[Any]]]) -> None:
        self.dns = DnsServer(zone)
        self.hosts = MarkedHosts()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.dns)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def deliver(
        self,
        clock: Clock,
        *,
        ends: Ends | None = None,
        open_client: OpenClient | None = None,
        then: Callable[[Runner], Any] | None = None,
        report: Report = bounce.report,
        renew_s: float = RENEW_S,
        finish_s: float = 10,
        poll_s: float = 0.05,
    ) -> None:
        """Run the loop until nothing is due; `then` is called in the loop once it runs."""

        async def run() -> None:
            threads = Threads(count=2)
            runner = Runner(
                resolver=DnsResolver(servers=[self.dns.address]),
                open_client=open_client or partial(Client.open, timeouts=QUICK, transcode=to_7bit),
                report=report,
                release=release,
                threads=threads,
                hosts=self.hosts,
                now=clock.now,
                renew_s=renew_s,
            )
            try:
                if then is not None:
                    then(runner)
                await runner.run(ends or Ends(when_idle=True), poll_s=poll_s, finish_s=finish_s)
            finally:
                threads.close()

        asyncio.run(run())


def one_host(*domains: str, ip: str = "127.0.0.1") -> dict[str, dict[str, list[Any]]]:
    """Return a zone in which each domain has one MX at `ip`."""
    zone: dict[str, dict[str, list[Any]]] = {}
    for domain in domains:
        zone[domain] = {"MX": [(10, f"mx.{domain}")]}
        zone[f"mx.{domain}"] = {"A": [ip]}
    return zone
