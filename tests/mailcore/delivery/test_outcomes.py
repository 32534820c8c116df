"""What becomes of mail whose outcome the database does not take."""

from __future__ import annotations

import asyncio

import pytest
from django.db import connection

from mailcore.delivery.outcomes import Outcomes
from mailcore.delivery.threads import Threads
from mailcore.models.queue import QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.queue import claim
from mailcore.queue.outcome import Ending
from tests.support.queueing import NOW, OK, Reports, ending, queue_message, row_of
from tests.support.receiving import table_taken_away

pytestmark = pytest.mark.django_db(transaction=True)
BOB = "bob@outside.example"


async def _finish(endings: list[Ending]) -> None:
    threads = Threads()
    outcomes = Outcomes(threads=threads, report=Reports(), now=lambda: NOW, linger_s=lambda: 0.0)
    outcomes.finish(endings, on_stored=lambda: None)
    await outcomes.settled()
    await asyncio.get_running_loop().run_in_executor(None, threads.close)


def test_mail_whose_outcome_cannot_be_written_is_held_and_not_sent_again(settings):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite tells a missing table as a fault that may pass")
    settings.OUTBOUND_MODE = "direct"
    queue_message(BOB, "carol@else.example")
    batches = claim.claim(now=NOW)
    (lost,) = [batch for batch in batches if batch.domain == "outside.example"]
    with table_taken_away("mailcore_deliveryattempt"):
        asyncio.run(_finish([ending(lost, OK)]))
    assert (row_of(BOB).state, row_of(BOB).lease_token) == ("held", None)
    assert row_of("carol@else.example").state == "queued"
    event = TraceEvent.objects.filter(kind="held").get()
    assert event.detail == {"by": "the runner: the outcome could not be stored"}
    assert QueuedRecipient.objects.count() == 2
