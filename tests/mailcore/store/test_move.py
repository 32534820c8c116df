"""store.move, store.undo and store.expunge: where messages go and what they leave behind."""

from datetime import datetime, timedelta

import pytest

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Message, Thread, ThreadRef, Tombstone
from mailcore.models.search import SearchEntry
from mailcore.store import expunge, flags, folder_tree, folders, move, undo
from mailcore.store.changes import FolderGone
from mailcore.store.rows import Done
from tests.support.deliveries import NOW, make_mailbox
from tests.support.mail_builders import derive_all, folder, rows, store_small

pytestmark = pytest.mark.django_db


def _undo(mailbox: Mailbox, done: Done, now: datetime | None = None) -> int:
    assert done.operation_id is not None
    return undo.undo(mailbox=mailbox, operation_id=done.operation_id, now=now).count


def test_a_move_keeps_row_and_public_id_and_gives_new_uids_in_order():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=3)
    before = rows(ids)
    done = move.to_role(mailbox=mailbox, message_ids=[ids[2], ids[0]], role="archive")
    after = rows(ids)
    assert done.count == 2
    assert [row.pk for row in after] == [row.pk for row in before]
    assert [row.uid for row in after] == [1, 2, 2]
    assert [row.folder.role for row in after] == ["archive", "inbox", "archive"]


def test_a_move_keeps_counters_and_leaves_tombstones():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=2)
    sizes = [row.size for row in rows(ids)]
    move.to_role(mailbox=mailbox, message_ids=ids[:1], role="trash")
    inbox, trash = folder(mailbox), folder(mailbox, "trash")
    assert (inbox.total_count, inbox.unseen_count, inbox.size_bytes) == (1, 1, sizes[1])
    assert (trash.total_count, trash.unseen_count, trash.size_bytes) == (1, 1, sizes[0])
    assert (inbox.uidnext, trash.uidnext) == (3, 2)
    grave = Tombstone.objects.get()
    assert (grave.folder_id, grave.uid, grave.destroyed) == (inbox.pk, 1, False)
    assert grave.modseq == inbox.highest_modseq == trash.highest_modseq


def test_what_is_there_already_stays():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=1)
    done = move.move(mailbox=mailbox, message_ids=ids, folder_id=folder(mailbox).pk)
    assert (done.count, done.operation_id) == (0, None)
    assert rows(ids)[0].uid == 1


def test_a_folder_of_another_mailbox_is_refused():
    alice, mallory = make_mailbox(name="alice"), make_mailbox(name="mallory")
    ids = store_small(mailbox=alice, count=1)
    with pytest.raises(FolderGone):
        move.move(mailbox=alice, message_ids=ids, folder_id=folder(mallory).pk)
    assert rows(ids)[0].folder == folder(alice)


def test_undo_brings_messages_back_only_from_where_the_move_left_them():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=3)
    done = move.to_role(mailbox=mailbox, message_ids=ids, role="archive")
    move.to_role(mailbox=mailbox, message_ids=ids[:1], role="junk")
    undone = _undo(mailbox, done)
    assert undone == 2
    assert [row.folder.role for row in rows(ids)] == ["junk", "inbox", "inbox"]
    assert _undo(mailbox, done) == 0


def test_undo_restores_only_flags_that_are_still_as_set():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=2)
    done = flags.set_seen(mailbox=mailbox, message_ids=ids, value=True)
    flags.set_seen(mailbox=mailbox, message_ids=ids[:1], value=False)
    undone = _undo(mailbox, done)
    assert undone == 1
    assert [row.is_seen for row in rows(ids)] == [False, False]
    assert folder(mailbox).unseen_count == 2


def test_undo_goes_through_all_chunks():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=501)
    done = move.to_role(mailbox=mailbox, message_ids=ids, role="archive")
    assert _undo(mailbox, done) == 501
    assert (folder(mailbox).total_count, folder(mailbox, "archive").total_count) == (501, 0)


def test_undo_ends_after_ten_minutes_and_is_for_the_own_mailbox_only():
    mailbox, other = make_mailbox(name="a"), make_mailbox(name="b")
    ids = store_small(mailbox=mailbox, count=1)
    done = move.to_role(mailbox=mailbox, message_ids=ids, role="archive", now=NOW)
    late = NOW + timedelta(minutes=11)
    assert _undo(mailbox, done, late) == 0
    assert _undo(other, done, now=NOW) == 0
    assert _undo(mailbox, done, now=NOW) == 1


def test_undo_of_a_move_from_a_deleted_folder_leaves_the_messages():
    mailbox = make_mailbox()
    (message_id,) = store_small(mailbox=mailbox, count=1)
    project = folders.create(mailbox=mailbox, name="Project")
    target = mailbox.folders.get(public_id=project)
    move.move(mailbox=mailbox, message_ids=[message_id], folder_id=target.pk)
    done = move.to_role(mailbox=mailbox, message_ids=[message_id], role="archive")
    folder_tree.delete(mailbox=mailbox, folder_id=project)
    assert _undo(mailbox, done) == 0
    assert rows([message_id])[0].folder.role == "archive"


def test_only_trash_and_junk_are_deleted_for_good():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=2)
    move.to_role(mailbox=mailbox, message_ids=ids[:1], role="trash")
    done = expunge.destroy(mailbox=mailbox, message_ids=ids)
    assert (done.count, done.operation_id) == (1, None)
    assert [row.public_id for row in Message.objects.all()] == [ids[1]]


def test_deletion_gives_quota_back_and_forgets_words_and_thread():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=2)
    derive_all()
    move.to_role(mailbox=mailbox, message_ids=ids[:1], role="trash")
    expunge.destroy(mailbox=mailbox, message_ids=ids[:1])
    left = rows(ids[1:])[0]
    mailbox = Mailbox.objects.get(pk=mailbox.pk)
    assert (mailbox.used_count, mailbox.used_bytes) == (1, left.size)
    assert list(SearchEntry.objects.values_list("message_id", flat=True)) == [left.pk]
    assert [thread.pk for thread in Thread.objects.all()] == [left.thread_id]
    assert ThreadRef.objects.get().thread_id == left.thread_id
    assert Tombstone.objects.filter(destroyed=True).count() == 1


def test_more_than_two_gigabytes_move_at_once():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=3)
    big = 3 * 2**30  # more than 32 bits hold, as in a chunk of 500 mails with films
    Message.objects.filter(mailbox=mailbox).update(size=big)
    Folder.objects.filter(mailbox=mailbox, role="inbox").update(size_bytes=3 * big)
    Mailbox.objects.filter(pk=mailbox.pk).update(used_bytes=3 * big)
    move.to_role(mailbox=mailbox, message_ids=ids, role="trash")
    assert (folder(mailbox).size_bytes, folder(mailbox, "trash").size_bytes) == (0, 3 * big)
    expunge.destroy(mailbox=mailbox, message_ids=ids)
    assert Mailbox.objects.get(pk=mailbox.pk).used_bytes == 0
