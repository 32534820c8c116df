"""store.jobs: all messages of a list, in chunks, after crashes, and back again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailcore.models.message import Message
from mailcore.models.personal import Job, JobStep
from mailcore.store import flags, jobs, move, sweep
from mailcore.store.changes import FolderGone
from mailcore.store.matching import View
from mailcore.store.operations import UNDO_WINDOW
from mailcore.store.verify import verify
from tests.support.deliveries import NOW, make_mailbox
from tests.support.mail_builders import folder, store_small
from tests.support.many import store_many

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox():
    return make_mailbox()


def _inbox(mailbox, **more) -> View:
    return View(folder_id=folder(mailbox).pk, **more)


def _move(mailbox, view=None, role="archive"):
    target = folder(mailbox, role).pk
    view = view or _inbox(mailbox)
    return jobs.accept(mailbox=mailbox, view=view, kind="move", verb=role, folder_id=target)


def _job(mailbox, job_id) -> jobs.JobRow:
    found = jobs.find(mailbox=mailbox, job_id=job_id)
    assert found is not None
    return found


def _totals(mailbox):
    return folder(mailbox).total_count, folder(mailbox, "archive").total_count


def test_all_of_a_folder_moves_in_chunks_of_500_with_a_modseq_each(mailbox):
    store_many(mailbox=mailbox, count=1201)
    mailbox.refresh_from_db()
    before = mailbox.modseq
    job_id = _move(mailbox)
    assert jobs.work() == 3
    row = _job(mailbox, job_id)
    mailbox.refresh_from_db()
    assert (row.state, row.done_count, row.total_count) == ("done", 1201, 1201)
    assert mailbox.modseq == before + 3
    assert _totals(mailbox) == (0, 1201)
    assert not list(verify())


def test_accepting_costs_the_same_for_few_and_many(mailbox):
    store_small(mailbox=mailbox, count=2)
    with CaptureQueriesContext(connection) as few:
        _move(mailbox)
    store_many(mailbox=mailbox, count=600)
    with CaptureQueriesContext(connection) as many:
        _move(mailbox)
    assert len(few) == len(many) <= 6


def test_no_chunk_writes_again_what_earlier_ones_did(mailbox):
    store_many(mailbox=mailbox, count=1100)
    _move(mailbox)
    jobs.work()
    assert [len(step.undo["ids"]) for step in JobStep.objects.order_by("pk")] == [500, 500, 100]


def test_a_worker_that_dies_leaves_the_rest_to_the_next(mailbox):
    store_many(mailbox=mailbox, count=1100)
    job_id = _move(mailbox)
    turns = iter([False, False, True])
    jobs.work(is_stopping=lambda: next(turns))
    row = _job(mailbox, job_id)
    assert (row.state, row.done_count, row.is_open) == ("waiting", 500, True)
    jobs.work()
    assert _totals(mailbox) == (0, 1100)


def test_mail_that_arrives_meanwhile_is_left_alone(mailbox):
    store_many(mailbox=mailbox, count=3)
    _move(mailbox)
    store_many(mailbox=mailbox, count=1, first=10)
    jobs.work()
    assert _totals(mailbox) == (1, 3)


def test_a_long_job_is_undone_by_the_worker(mailbox):
    store_many(mailbox=mailbox, count=1100)
    job_id = _move(mailbox)
    jobs.work()
    assert jobs.take_back(mailbox=mailbox, job_id=job_id) is None
    assert _totals(mailbox) == (0, 1100)
    jobs.work()
    assert _totals(mailbox) == (1100, 0)
    assert _job(mailbox, job_id).state == "undone"


def test_undo_stops_what_is_not_done_yet(mailbox):
    store_many(mailbox=mailbox, count=1100)
    job_id = _move(mailbox)
    jobs.step(job_id=job_id, mailbox_id=mailbox.pk)
    assert jobs.take_back(mailbox=mailbox, job_id=job_id) is None
    jobs.work()
    assert _totals(mailbox) == (1100, 0)


def test_a_short_one_is_undone_at_once_and_not_after_ten_minutes(mailbox):
    store_many(mailbox=mailbox, count=5)
    first = _move(mailbox)
    jobs.work()
    late = Job.objects.get(public_id=first).expires_at + timedelta(seconds=1)
    assert jobs.take_back(mailbox=mailbox, job_id=first, now=late) == 0
    assert jobs.take_back(mailbox=mailbox, job_id=first) == 5
    assert _totals(mailbox) == (5, 0)


def test_flags_change_only_what_is_otherwise_and_back(mailbox):
    ids = store_many(mailbox=mailbox, count=6)
    flags.set_seen(mailbox=mailbox, message_ids=ids[:2], value=True)
    job_id = jobs.accept(mailbox=mailbox, view=_inbox(mailbox), kind="is_seen", verb="read")
    jobs.work()
    assert folder(mailbox).unseen_count == 0
    assert jobs.take_back(mailbox=mailbox, job_id=job_id) == 4
    assert set(Message.objects.filter(is_seen=True).values_list("public_id", flat=True)) == {
        *ids[:2]
    }


def test_a_filter_narrows_what_is_done(mailbox):
    ids = store_many(mailbox=mailbox, count=6)
    flags.set_flagged(mailbox=mailbox, message_ids=ids[:2], value=True)
    _move(mailbox, _inbox(mailbox, only="starred"))
    jobs.work()
    assert _totals(mailbox) == (4, 2)


def test_only_trash_and_junk_are_deleted_for_good(mailbox):
    store_many(mailbox=mailbox, count=3)
    store_many(mailbox=mailbox, count=4, role="trash")
    for role in ("inbox", "trash"):
        view = View(folder_id=folder(mailbox, role).pk)
        job_id = jobs.accept(mailbox=mailbox, view=view, kind="destroy", verb="destroy")
        jobs.work()
    assert _totals(mailbox)[0] == 3
    assert folder(mailbox, "trash").total_count == 0
    assert jobs.take_back(mailbox=mailbox, job_id=job_id) == 0
    assert not list(verify())


def test_a_target_of_another_mailbox_is_refused_and_a_job_is_nobody_elses(mailbox):
    other = make_mailbox(name="other")
    with pytest.raises(FolderGone):
        jobs.accept(
            mailbox=mailbox,
            view=_inbox(mailbox),
            kind="move",
            verb="move",
            folder_id=folder(other).pk,
        )
    job_id = _move(mailbox)
    assert jobs.find(mailbox=other, job_id=job_id) is None
    assert jobs.take_back(mailbox=other, job_id=uuid4()) == 0


def test_a_job_that_waits_is_not_forgotten(mailbox):
    _move(mailbox)
    late = Job.objects.get().expires_at + UNDO_WINDOW
    assert sweep.forget_jobs(now=late) == 0
    jobs.work()
    assert sweep.forget_jobs(now=late + UNDO_WINDOW) == 1


def test_what_was_moved_on_since_stays_when_it_is_undone(mailbox):
    ids = store_many(mailbox=mailbox, count=3)
    job_id = _move(mailbox)
    jobs.work()
    move.to_role(mailbox=mailbox, message_ids=ids[:1], role="trash", now=NOW)
    assert jobs.take_back(mailbox=mailbox, job_id=job_id) == 2
