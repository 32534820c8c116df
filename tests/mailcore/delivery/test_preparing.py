"""Octets and attempts of many batches at once."""

from __future__ import annotations

import pytest

from mailcore.delivery.preparing import Wanted, prepare
from mailcore.delivery.routes import Target
from mailcore.models.queue import DeliveryAttempt, QueuedMessage
from mailcore.queue import claim
from tests.support.queueing import NOW, make_blob, queue_message

pytestmark = pytest.mark.django_db

HOST = Target("mx.one.example", "192.0.2.25", 25)


@pytest.fixture(autouse=True)
def _direct(settings):
    settings.OUTBOUND_MODE = "direct"


def test_each_batch_gets_its_octets_and_an_attempt_for_each_recipient():
    queue_message("a@one.example", "b@one.example")
    queue_message("c@two.example")
    last = queue_message("d@three.example")
    other = make_blob(b"Subject: Other\r\n\r\n")
    QueuedMessage.objects.filter(pk=last.message_id).update(blob=other)
    batches = sorted(claim.claim(now=NOW), key=lambda batch: batch.message_id)
    targets = [HOST, None, HOST]
    prepared = prepare(list(map(Wanted, batches, targets)), now=lambda: NOW)
    assert [len(each.attempt_ids) for each in prepared] == [2, 0, 1]
    for batch, each in zip(batches, prepared, strict=True):
        for recipient, attempt_id in zip(batch.recipients, each.attempt_ids, strict=False):
            attempt = DeliveryAttempt.objects.get(pk=attempt_id)
            assert (attempt.recipient_id, attempt.host) == (recipient.id, HOST.host)
    assert prepared[0].content == b"Received: here\r\nSubject: Hello\r\n\r\nHi\r\n"
    assert prepared[2].content == b"Received: here\r\nSubject: Other\r\n\r\n"


def test_unreadable_blob_is_none_and_spoils_no_other():
    queue_message("a@one.example")
    queued = queue_message("b@two.example")
    lost = make_blob(b"lost")
    type(lost).objects.filter(pk=lost.pk).update(data=None, key="ab" * 32)
    QueuedMessage.objects.filter(pk=queued.message_id).update(blob=lost)
    batches = sorted(claim.claim(now=NOW), key=lambda batch: batch.message_id)
    good, bad = prepare([Wanted(batch, HOST) for batch in batches], now=lambda: NOW)
    assert good.content is not None
    assert bad.content is None
