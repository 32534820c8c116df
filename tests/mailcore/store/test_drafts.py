"""Drafts: versions, files, the token that is taken once, and what sweeps forget."""

from datetime import timedelta
from uuid import uuid4

import pytest

from mailcore.models.blob import Blob
from mailcore.models.message import Draft, DraftAttachment
from mailcore.store import drafts, sweep
from mailcore.store.drafts import Changed, NotOpen
from tests.support.deliveries import NOW
from tests.support.people import make_alice, make_mallory
from tests.support.writing import save

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ground(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def alice():
    return make_alice()


def test_a_draft_is_made_and_saved_again_under_its_id(alice):
    first = save(alice, subject="One")
    second = save(alice, draft_id=first.id, version=first.version, subject="Two")
    assert (first.version, second.version) == (1, 2)
    found = drafts.find(mailbox=alice.mailbox, draft_id=first.id)
    assert found == second
    assert (second.written.subject, second.written.to) == ("Two", "bob@hamburger.test")


def test_the_same_words_again_are_no_new_version(alice):
    first = save(alice)
    assert save(alice, draft_id=first.id, version=first.version) == first
    assert save(alice, draft_id=first.id, version=0) == first  # a repeat of the first save


def test_a_save_from_an_old_version_changes_nothing_and_shows_the_new_one(alice):
    first = save(alice)
    newer = save(alice, draft_id=first.id, version=1, subject="Newer")
    with pytest.raises(Changed) as caught:
        save(alice, draft_id=first.id, version=1, subject="Mine")
    assert caught.value.current == newer
    assert Draft.objects.get().subject == "Newer"


def test_an_id_of_another_mailbox_is_not_ours(alice):
    mallory = make_mallory()
    draft = save(alice)
    assert drafts.find(mailbox=mallory.mailbox, draft_id=draft.id) is None
    with pytest.raises(NotOpen):
        save(mallory, draft_id=draft.id, version=1, subject="Stolen")
    assert Draft.objects.get().subject == "Plan"


def test_files_are_blobs_that_saving_text_leaves_alone(alice):
    draft = save(alice)
    drafts.add_file(
        draft=draft, name="../a\r\n.txt", content_type="text/plain", content=b"hello", now=NOW
    )
    saved = save(alice, draft_id=draft.id, version=1, subject="More")
    (file,) = saved.files
    assert (file.name, file.size_bytes, saved.size_bytes) == ("a .txt", 5, 5)
    assert drafts.file_bytes(file=file) == b"hello"
    drafts.remove_files(draft=saved, file_ids=[uuid4(), file.id])
    assert not DraftAttachment.objects.exists()


def test_a_token_is_taken_once_and_by_one_draft(alice):
    draft, other, token = save(alice), save(alice), uuid4()
    assert drafts.claim(draft=draft, token=token, not_before=None, now=NOW)
    assert not drafts.claim(draft=draft, token=uuid4(), not_before=None, now=NOW)
    assert not drafts.claim(draft=other, token=token, not_before=None, now=NOW)


def test_what_was_sent_takes_no_words_and_no_files_until_it_is_taken_back(alice):
    draft = save(alice)
    drafts.claim(draft=draft, token=uuid4(), not_before=None, now=NOW)
    with pytest.raises(NotOpen):
        save(alice, draft_id=draft.id, version=2, subject="Late")
    with pytest.raises(NotOpen):
        drafts.add_file(draft=draft, name="a", content_type="", content=b"a", now=NOW)
    drafts.reopen(draft=draft, now=NOW)
    assert save(alice, draft_id=draft.id, version=3, subject="Late").version == 4


def test_a_claim_of_an_older_version_fails(alice):
    draft = save(alice)
    save(alice, draft_id=draft.id, version=1, subject="Newer")
    assert not drafts.claim(draft=draft, token=uuid4(), not_before=None, now=NOW)


def test_sent_drafts_go_after_a_week_and_lost_ones_after_a_month(alice):
    sent, scheduled, lost = save(alice), save(alice), save(alice)
    drafts.add_file(draft=sent, name="a", content_type="", content=b"a", now=NOW)
    drafts.claim(draft=sent, token=uuid4(), not_before=None, now=NOW)
    month = NOW + timedelta(days=31)
    drafts.claim(draft=scheduled, token=uuid4(), not_before=month, now=NOW)
    assert drafts.sweep(now=NOW + timedelta(days=6)) == 0
    assert drafts.sweep(now=NOW + timedelta(days=8)) == 1
    assert sweep.run_all(now=month)["drafts"] == 1
    assert list(Draft.objects.values_list("public_id", flat=True)) == [scheduled.id]
    assert lost.id != scheduled.id
    assert Blob.objects.count() == 0
