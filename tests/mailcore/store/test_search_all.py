"""store.jobs for a search: all that it finds, in chunks, as it was asked, and back again."""

from datetime import timedelta

import pytest

from mailcore.models.message import Message
from mailcore.store import jobs, search_all
from mailcore.store.search_all import FoundView
from mailcore.store.verify import verify
from tests.support.deliveries import NOW, make_mailbox, make_message
from tests.support.mail_builders import derive_all, folder, store
from tests.support.many import store_many

pytestmark = pytest.mark.django_db

TODAY = NOW.date().isoformat()


@pytest.fixture
def mailbox():
    return make_mailbox()


def _view(query: str, **more) -> FoundView:
    return FoundView(**{"query": query, "language": "en", "today": TODAY, "zone": "UTC", **more})


def _archive(mailbox, query: str, **more):
    target = folder(mailbox, "archive").pk
    return jobs.accept(
        mailbox=mailbox, view=_view(query, **more), kind="move", verb="archive", folder_id=target
    )


def _done(mailbox, job_id) -> jobs.JobRow:
    jobs.work()
    found = jobs.find(mailbox=mailbox, job_id=job_id)
    assert found is not None
    return found


def _mail(mailbox, subject, *, role="inbox", at=NOW, sender="Dora <dora@x.test>"):
    raw = make_message(message_id=f"{subject}@m.test", subject=subject, sender=sender)
    return store(raw, mailbox=mailbox, role=role, at=at)[0]


def _archived(mailbox) -> set[str]:
    rows = Message.objects.filter(folder=folder(mailbox, "archive"))
    return set(rows.values_list("content__subject", flat=True))


@pytest.mark.parametrize("query", ["in:inbox", "number"])
def test_all_that_is_found_moves_in_chunks_and_comes_back(mailbox, query):
    """By operators alone and by words: the two ways that a search goes."""
    store_many(mailbox=mailbox, count=1101)
    if query == "number":
        derive_all()
    job_id = _archive(mailbox, query)
    row = _done(mailbox, job_id)
    assert (row.state, row.done_count, row.total_count) == ("done", 1101, 1101)
    assert (folder(mailbox).total_count, folder(mailbox, "archive").total_count) == (0, 1101)
    assert jobs.take_back(mailbox=mailbox, job_id=job_id) is None
    assert _done(mailbox, job_id).state == "undone"
    assert folder(mailbox).total_count == 1101
    assert not list(verify())


def test_what_no_longer_matches_after_a_chunk_is_not_looked_at_twice(mailbox):
    store_many(mailbox=mailbox, count=700)
    view = _view("is:unread")
    job_id = jobs.accept(mailbox=mailbox, view=view, kind="is_seen", verb="read")
    assert _done(mailbox, job_id).done_count == 700
    assert not Message.objects.filter(is_seen=False).exists()


def test_only_what_is_found_changes_and_trash_is_left_alone(mailbox):
    for subject in ("Plan one", "Plan two", "Other"):
        _mail(mailbox, subject)
    _mail(mailbox, "Plan gone", role="trash")
    derive_all()
    assert _done(mailbox, _archive(mailbox, "plan -two")).done_count == 1
    assert _archived(mailbox) == {"Plan one"}


def test_nothing_leaves_sent_and_drafts_when_that_is_said(mailbox):
    _mail(mailbox, "Plan in")
    _mail(mailbox, "Plan out", role="sent")
    derive_all()
    _done(mailbox, _archive(mailbox, "plan", is_without_own=True))
    assert _archived(mailbox) == {"Plan in"}
    _done(mailbox, _archive(mailbox, "plan in:sent"))
    assert _archived(mailbox) == {"Plan in", "Plan out"}


def test_mail_that_arrives_after_it_was_accepted_is_left_alone(mailbox):
    _mail(mailbox, "Plan one")
    derive_all()
    job_id = _archive(mailbox, "plan")
    _mail(mailbox, "Plan two")
    derive_all()
    _done(mailbox, job_id)
    assert _archived(mailbox) == {"Plan one"}


def test_days_are_those_of_the_person_who_asked(mailbox):
    """23:30 UTC on the 20th is the 21st in Madrid; the worker runs in UTC on another day."""
    _mail(mailbox, "late", at=NOW.replace(day=20, hour=23, minute=30))
    _mail(mailbox, "early", at=NOW.replace(day=20, hour=22, minute=30))
    asked = {"language": "es", "today": NOW.replace(day=22).date().isoformat()}
    _done(mailbox, _archive(mailbox, "el:ayer", zone="Europe/Madrid", **asked))
    assert _archived(mailbox) == {"late"}


def test_me_is_who_asked(mailbox):
    _mail(mailbox, "mine", sender="Bob <bob@hamburger.test>")
    _mail(mailbox, "theirs")
    derive_all()
    _done(mailbox, _archive(mailbox, "from:me", me=("bob@hamburger.test",)))
    assert _archived(mailbox) == {"mine"}


def test_a_search_that_takes_too_long_fails_and_changes_nothing(mailbox, monkeypatch):
    store_many(mailbox=mailbox, count=300)
    job_id = _archive(mailbox, " ".join(["-is:first"] * 20))
    monkeypatch.setattr(search_all, "CHUNK_S", 0.0)
    failed = _done(mailbox, job_id)
    assert (failed.state, failed.fault) == ("failed", "search too slow")
    assert folder(mailbox).total_count == 300


@pytest.mark.parametrize("query", ["", "   ", "()", "auth:pass"])
def test_a_search_for_nothing_changes_nothing(mailbox, query):
    _mail(mailbox, "Plan", at=NOW - timedelta(days=1))
    row = _done(mailbox, _archive(mailbox, query))
    assert (row.state, row.done_count) == ("done", 0)


def test_nothing_of_another_mailbox_changes(mailbox):
    other = make_mailbox(name="other")
    _mail(mailbox, "Plan")
    _mail(other, "Plan")
    derive_all()
    assert _done(mailbox, _archive(mailbox, "plan in:anywhere")).done_count == 1
    assert folder(other).total_count == 1
