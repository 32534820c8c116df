"""store.verify: silent on a sound store, loud about each kind of damage."""

import pytest
from django.core.management import call_command
from django.db.models import F

from mailcore import rawmail
from mailcore.models.blob import Blob, Content
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Message, Thread, Tombstone
from mailcore.models.search import SearchEntry
from mailcore.store import index, move, verify
from tests.support.deliveries import make_mailbox, make_message
from tests.support.mail_builders import derive_all, store, store_small

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox():
    made = make_mailbox()
    ids = store_small(mailbox=made, count=3)
    move.to_role(mailbox=made, message_ids=ids[:1], role="archive")
    derive_all()
    return made


def _checks() -> set[str]:
    return {finding.check for finding in verify.verify()}


def test_a_sound_store_has_no_findings(mailbox, capsys):
    call_command("verify_store")
    assert capsys.readouterr().out == "0 findings\n"


@pytest.mark.parametrize(
    ("model", "change", "check"),
    [
        (Folder, {"total_count": F("total_count") + 1}, "folder total_count"),
        (Folder, {"unseen_count": 0}, "folder unseen_count"),
        (Folder, {"size_bytes": 0}, "folder size_bytes"),
        (Folder, {"uidnext": 1}, "uid"),
        (Folder, {"highest_modseq": 1}, "modseq"),
        (Folder, {"uidvalidity": F("uidvalidity") + 100}, "uidvalidity"),
        (Mailbox, {"modseq": 1}, "modseq"),
        (Mailbox, {"used_bytes": 1}, "quota"),
        (Mailbox, {"used_count": 0}, "quota count"),
        (Mailbox, {"purged_modseq": 999}, "purged_modseq"),
        (Message, {"size": F("size") + 1}, "message size"),
        (Message, {"created_modseq": 99}, "message modseq"),
        (Message, {"has_attachment": True}, "message attachment"),
        (Thread, {"modseq": 99}, "thread modseq"),
        (Content, {"header_size": 10**6}, "content header"),
        (Tombstone, {"modseq": 99}, "tombstone modseq"),
        (Tombstone, {"uid": 2}, "uid reuse"),
        (Blob, {"size": F("size") + 1}, "blob"),
    ],
)
def test_damage_is_found(mailbox, model, change, check):
    model.objects.update(**change)
    assert check in _checks()


def test_rows_of_another_mailbox_are_found(mailbox):
    other = make_mailbox(name="other")
    Thread.objects.update(mailbox=other)
    Folder.objects.filter(mailbox=mailbox, role="inbox").update(
        mailbox=other, role="", name="x", uidvalidity=50
    )
    SearchEntry.objects.update(mailbox=other)
    found = _checks()
    assert {"message thread", "message folder", "search mailbox", "thread reference"} <= found


def test_missing_words_and_empty_threads_are_found(mailbox):
    message = Message.objects.first()
    assert message is not None
    index.remove(message_ids=[message.pk])
    thread = Thread.objects.exclude(pk=message.thread_id).first()
    Message.objects.update(thread=thread)
    assert {"search entry", "empty thread"} <= _checks()


def test_a_lost_file_and_changed_octets_are_found(settings, mailbox):
    settings.BLOB_INLINE_MAX = 10
    store(make_message(message_id="file@m.test"), mailbox=mailbox)
    rawmail.blob_store().delete(Blob.objects.exclude(key="").get().key)
    Blob.objects.filter(key="").update(data=b"other", codec="")
    findings = [f for f in verify.verify() if f.check == "blob"]
    assert len(findings) == 4
    assert not [f for f in verify.verify(with_blobs=False) if f.check == "blob"]


def test_the_command_exits_with_1_and_names_the_row(mailbox, capsys):
    Mailbox.objects.update(used_count=0)
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_store", "--no-blobs")
    assert f"quota count: mailbox {mailbox.pk}: stored 0, found 3" in capsys.readouterr().out


def test_many_rows_are_counted_not_listed():
    mailbox = make_mailbox()
    store_small(mailbox=mailbox, count=25)
    Message.objects.update(size=1)
    findings = [f for f in verify.verify() if f.check == "message size"]
    assert len(findings) == 21
    assert "25 in all" in findings[-1].detail
