"""Finished mail is forgotten as a whole after 30 days; what waits never is."""

import uuid
from datetime import timedelta

import pytest

from mailcore.models.blob import Blob
from mailcore.models.queue import DeliveryAttempt, QueuedMessage, QueuedRecipient
from mailcore.queue import sweep
from mailcore.rawmail.collector import collect
from tests.support.deliveries import NOW
from tests.support.queued import make_attempt, make_queued

pytestmark = pytest.mark.django_db

OLD, YOUNG = NOW - timedelta(days=31), NOW - timedelta(days=29)


@pytest.mark.parametrize("state", sweep.TERMINAL)
def test_finished_mail_goes_after_thirty_days_with_its_attempts(state):
    [row] = make_queued("x@outside.example", state=state, at=OLD)
    make_attempt(row)
    assert sweep.forget_finished(now=NOW) == 1
    for table in (DeliveryAttempt, QueuedRecipient, QueuedMessage):
        assert not table.objects.exists()


def test_its_blob_is_then_collected():
    make_queued("x@outside.example", state="delivered", at=OLD)
    assert collect(now=NOW).row_count == 0
    sweep.forget_finished(now=NOW)
    assert collect(now=NOW).row_count == 1
    assert not Blob.objects.exists()


@pytest.mark.parametrize("state", ["queued", "held", "captured"])
def test_what_waits_is_kept_however_old(state):
    make_queued("x@outside.example", state=state, at=OLD)
    assert sweep.forget_finished(now=NOW) == 0
    assert QueuedRecipient.objects.count() == 1


def test_a_message_is_kept_whole_until_its_last_recipient_is_old():
    one, two, three = make_queued(
        "a@outside.example", "b@outside.example", "c@outside.example", state="delivered", at=OLD
    )
    QueuedRecipient.objects.filter(pk=two.pk).update(finished_at=YOUNG)
    assert sweep.forget_finished(now=NOW) == 0
    QueuedRecipient.objects.filter(pk=two.pk).update(finished_at=OLD)
    QueuedRecipient.objects.filter(pk=three.pk).update(
        state="queued", finished_at=None, next_attempt_at=NOW
    )
    assert sweep.forget_finished(now=NOW) == 0
    assert QueuedRecipient.objects.filter(message=one.message).count() == 3


def test_only_old_mail_goes():
    make_queued("old@outside.example", state="failed", at=OLD)
    make_queued("young@outside.example", state="failed", at=YOUNG)
    assert sweep.forget_finished(now=NOW) == 1
    assert QueuedRecipient.objects.get().forward_path == "young@outside.example"


def test_more_than_a_chunk_goes_in_one_call():
    [row] = make_queued("x@outside.example", state="delivered", at=OLD)
    message = row.message
    for _ in range(600):
        message.pk, message.public_id, message._state.adding = None, uuid.uuid4(), True
        message.save()
        row.pk, row.public_id, row._state.adding = None, uuid.uuid4(), True
        row.message = message
        row.save()
    assert sweep.forget_finished(now=NOW) == 601
    assert not QueuedMessage.objects.exists()
