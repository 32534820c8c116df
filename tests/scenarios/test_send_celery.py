"""The loop woken by Celery on a real Redis, which may forget everything at any time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from mailcore import tasks
from mailcore.models.queue import DeliveryAttempt, QueuedRecipient
from tests.support.brokers import flush, running_celery, running_redis, wait_for_worker
from tests.support.dns_server import DnsServer
from tests.support.fake_mta import FakeMta
from tests.support.receiving import wait_until
from tests.support.sending import one_host, post
from tests.support.servers import find_redis
from webmail.celery import app

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_redis() is None, reason="no redis-server"),
]
_WORKER = (
    *("worker", "-Q", "deliver", "-c", "1", "-l", "INFO"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


class Sending:
    """A worker, and what is around it."""

    def __init__(self, url: str, directory: Path, more: dict[str, str], mta: FakeMta) -> None:
        self.url = url
        self.mta = mta
        self._directory = directory
        self._more = more

    def celery(self, *words: str) -> Any:
        """Run a Celery process."""
        return running_celery(*words, url=self.url, directory=self._directory, more=self._more)

    def waits(self) -> int:
        """Return how many recipients are not delivered yet."""
        return QueuedRecipient.objects.exclude(state="delivered").count()


@pytest.fixture
def sending(ground: None, settings: Any, tmp_path: Path) -> Iterator[Sending]:
    with ExitStack() as stack:
        url = stack.enter_context(running_redis(tmp_path))
        mta = stack.enter_context(FakeMta())
        dns = stack.enter_context(DnsServer(one_host("remote.test")))
        settings.OUTBOUND_MODE = "direct"
        settings.OUTBOUND_ALLOW_NETWORKS = (ip_network("127.0.0.0/8"),)
        settings.REDIS_URL = url
        settings.QUEUE_DISPATCHER = "mailcore.tasks.wake"
        app.conf.broker_url = url
        stack.callback(tasks.forget_broker)
        stack.callback(app.pool.force_close_all)
        more = {
            "OUTBOUND_MODE": "direct",
            "OUTBOUND_PORT": str(mta.port),
            "OUTBOUND_ALLOW_NETWORKS": "127.0.0.0/8",
            "DNS_SERVERS": dns.setting,
        }
        yield Sending(url, tmp_path, more, mta)


def test_a_commit_that_enqueues_wakes_the_worker(sending: Sending):
    with sending.celery(*_WORKER):
        wait_for_worker(sending.url)
        for number in range(3):
            post(f"bob{number}@remote.test", now=timezone.now())
        wait_until(lambda: not sending.waits(), seconds=15)
    assert sorted(sending.mta.recipients) == [f"bob{number}@remote.test" for number in range(3)]


def test_a_broker_that_forgets_everything_delays_and_loses_nothing(sending: Sending):
    with sending.celery(*_WORKER), sending.celery("beat", "-l", "INFO"):
        wait_for_worker(sending.url)
        for number in range(20):
            post(f"bob{number}@remote.test", now=timezone.now())
            flush(sending.url)
        wait_until(lambda: not sending.waits(), seconds=40)
    assert len(sending.mta.messages) == DeliveryAttempt.objects.count() == 20


def test_a_broker_that_is_away_stops_nobody(sending: Sending, settings: Any, caplog: Any):
    settings.REDIS_URL = app.conf.broker_url = "redis://127.0.0.1:1/0"
    tasks.forget_broker()
    post("bob@remote.test", now=timezone.now())
    post("bob@remote.test", now=timezone.now())
    assert QueuedRecipient.objects.filter(state="queued").count() == 2
    assert caplog.text.count("tasks.broker_away") == 1  # the second does not even try
