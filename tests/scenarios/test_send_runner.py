"""What the loop guarantees (G4): leases, a clean stop, stored outcomes, few connections."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from mailcore.delivery import bounce
from mailcore.delivery.runner import Ends, Runner
from mailcore.models.blob import Blob
from mailcore.models.queue import DeliveryAttempt, Destination, QueuedRecipient
from mailcore.queue.outcome import Ended
from mailcore.smtp.client import Client
from tests.support.brokers import child_environment
from tests.support.clock import Clock
from tests.support.fake_mta import HANG, FakeMta
from tests.support.receiving import wait_until
from tests.support.sending import Outside, again, post
from tests.support.sources import ROOT


class Reporter:
    """The real report, which fails the first times it is called."""

    def __init__(self, error: Exception, *, times: int) -> None:
        self._error = error
        self._left = times

    def __call__(self, ended: Sequence[Ended], *, now: datetime) -> Mapping[int, str]:
        self._left -= 1
        if self._left >= 0:
            raise self._error
        return bounce.report(ended, now=now)


def _when(is_so: Callable[[], bool], then: Callable[[], object]) -> Callable[[Runner], object]:
    """Return what calls `then` in a thread as soon as something is so."""

    async def watch() -> None:
        while not await asyncio.to_thread(is_so):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(then)

    return lambda _: asyncio.get_running_loop().create_task(watch())


def _take_away(row: QueuedRecipient, token: uuid.UUID) -> None:
    """Do as another runner that claims the row; from a thread."""
    QueuedRecipient.objects.filter(pk=row.pk).update(lease_token=token)
    connection.close()


def test_a_lost_lease_breaks_the_connection_that_waits(
    mta: FakeMta, outside: Outside, clock: Clock, caplog: pytest.LogCaptureFixture
):
    mta.script.data = HANG
    (row,) = post("bob@remote.test", now=clock.now())
    other = uuid.uuid4()
    take = _when(lambda: "data" in mta.stages, lambda: _take_away(row, other))
    outside.deliver(clock, renew_s=0.05, then=take)
    taken = again(row)
    assert (taken.state, taken.lease_token, taken.attempt_count) == ("queued", other, 0)
    assert "delivery.lease_lost" in caplog.text


def test_without_a_lease_no_final_dot_is_sent(mta: FakeMta, outside: Outside, clock: Clock):
    (row,) = post("bob@remote.test", now=clock.now())

    async def slowly(**place: Any) -> Client:
        """Open a connection, so slowly that another runner has the row by then."""
        client = await Client.open(**place)
        await asyncio.to_thread(_take_away, row, uuid.uuid4())
        await asyncio.sleep(0.3)  # some renewals
        return client

    outside.deliver(clock, open_client=slowly, renew_s=0.05)
    assert (mta.connection_count, mta.messages, again(row).state) == (1, [], "queued")


def test_a_stop_gives_back_what_was_not_begun_and_finishes_the_rest(
    mta: FakeMta, outside: Outside, clock: Clock
):
    for _ in range(60):
        post("bob@remote.test", now=clock.now())
    mta.script.banner = HANG

    def stop(runner: Runner) -> object:
        loop = asyncio.get_running_loop()

        def go() -> None:
            mta.script.banner = ()
            loop.call_soon_threadsafe(runner.stop)

        return _when(lambda: "banner" in mta.stages, go)(runner)

    outside.deliver(clock, then=stop, finish_s=8)
    states = QueuedRecipient.objects.values_list("state", "attempt_count", "lease_token")
    assert {(state, count) for state, count, _ in states} <= {
        ("queued", 0),
        ("queued", 1),
        ("delivered", 1),
    }
    assert not QueuedRecipient.objects.exclude(lease_token=None).exists()
    assert QueuedRecipient.objects.filter(attempt_count=0).count() >= 40
    assert DeliveryAttempt.objects.filter(code=None).count() == 0


def test_a_database_that_was_away_stores_the_outcome_later_and_nothing_is_sent_twice(
    mta: FakeMta, outside: Outside, clock: Clock
):
    (row,) = post("bob@remote.test", now=clock.now(), notify="SUCCESS")
    outside.deliver(clock, report=Reporter(OperationalError("away"), times=1))
    assert (again(row).state, len(mta.messages)) == ("delivered", 1)


def test_a_notice_that_cannot_be_written_does_not_send_the_mail_again(
    mta: FakeMta, outside: Outside, clock: Clock
):
    (row,) = post("bob@remote.test", now=clock.now(), notify="SUCCESS")
    outside.deliver(clock, report=Reporter(ValueError("ours"), times=99))
    assert (again(row).state, len(mta.messages)) == ("delivered", 1)


def test_a_failure_that_cannot_be_reported_is_tried_again(
    mta: FakeMta, outside: Outside, clock: Clock
):
    mta.script.rcpt = "550 5.1.1 No such user"
    (row,) = post("bob@remote.test", now=clock.now())
    outside.deliver(clock, report=Reporter(ValueError("ours"), times=99))
    assert (again(row).state, again(row).last_reply[:9]) == ("queued", "451 4.3.0")


def test_a_message_that_cannot_be_read_holds_up_no_other(
    mta: FakeMta, outside: Outside, clock: Clock
):
    posted = [post(f"u{number}@remote.test", now=clock.now())[0] for number in range(5)]
    Blob.objects.filter(queued=posted[2].message_id).update(data=None, key="no key")
    outside.deliver(clock)
    states = [again(row).state for row in posted]
    assert states == ["delivered", "delivered", "queued", "delivered", "delivered"]
    assert len(mta.messages) == 4
    assert again(posted[2]).attempt_count == 0  # its lease ends, and it is tried again


def test_more_than_a_claim_of_one_domain_leaves_without_a_pause(
    mta: FakeMta, outside: Outside, clock: Clock
):
    posted = [post(f"u{number}@remote.test", now=clock.now())[0] for number in range(250)]
    outside.deliver(clock, ends=Ends(when_idle=True, work_s=20), poll_s=20)
    assert {again(row).state for row in posted} == {"delivered"}
    assert len(mta.messages) == 250


def test_connections_grow_with_success_and_stay_under_twenty(
    mta: FakeMta, outside: Outside, clock: Clock
):
    for _ in range(150):
        post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    assert len(mta.messages) == 150
    assert 2 < mta.most_open <= 20
    assert Destination.objects.get(kind="domain", name="remote.test").concurrency > 2


def test_a_failing_destination_loses_connections(mta: FakeMta, outside: Outside, clock: Clock):
    Destination.objects.create(kind="domain", name="remote.test", concurrency=16)
    mta.script.banner = "421 4.3.2 Too busy"
    post("bob@remote.test", now=clock.now())
    outside.deliver(clock)
    known = Destination.objects.get(kind="domain", name="remote.test")
    assert (known.failures, known.concurrency) == (1, 8)


def test_a_run_ends_when_its_time_is_over(mta: FakeMta, outside: Outside, clock: Clock):
    post("bob@remote.test", now=clock.now())
    outside.deliver(clock, ends=Ends(work_s=0))
    assert mta.messages == []


@pytest.mark.slow
def test_queue_runner_delivers_and_stops_on_sigterm(mta: FakeMta, outside: Outside, tmp_path: Path):
    environment = child_environment(tmp_path) | {
        "OUTBOUND_MODE": "direct",
        "OUTBOUND_PORT": str(mta.port),
        "OUTBOUND_ALLOW_NETWORKS": "127.0.0.0/8",
        "DNS_SERVERS": outside.dns.setting,
    }
    command = [sys.executable, "manage.py", "queue_runner"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            (row,) = post("bob@remote.test", now=timezone.now())
            wait_until(lambda: again(row).state == "delivered", seconds=30)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert mta.recipients == ["bob@remote.test"]
