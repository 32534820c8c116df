"""store.folders: names, uidvalidity and roles."""

from uuid import uuid4

import pytest

from mailcore.models.folder import Folder, FolderTombstone
from mailcore.store import folder_tree, folders
from mailcore.store.changes import FolderGone
from mailcore.store.verify import verify
from tests.support.deliveries import make_mailbox

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name", ["", "  ", "a/b", "a\nb", "a\x00", "a\u2028b", "x" * 256, "\ud800"]
)
def test_names_that_cannot_be_are_refused(name):
    with pytest.raises(folders.FolderRefused, match="name"):
        folders.create(mailbox=make_mailbox(), name=name)


@pytest.mark.parametrize("name", ["Inbox", "INBOX", "Sent", "Proyecto"])
def test_a_name_is_given_once(name):
    mailbox = make_mailbox()
    folders.create(mailbox=mailbox, name="Proyecto")
    with pytest.raises(folders.FolderRefused, match="taken"):
        folders.create(mailbox=mailbox, name=f" {name} ")


def test_a_uidvalidity_is_never_given_twice():
    mailbox = make_mailbox()
    first = folders.create(mailbox=mailbox, name="A")
    spent = Folder.objects.get(public_id=first).uidvalidity
    folder_tree.delete(mailbox=mailbox, folder_id=first)
    again = Folder.objects.get(public_id=folders.create(mailbox=mailbox, name="A"))
    assert again.uidvalidity == spent + 1
    assert FolderTombstone.objects.get().uidvalidity == spent
    assert not verify()


def test_a_rename_keeps_uidvalidity_and_counts_as_a_change():
    mailbox = make_mailbox()
    made = folders.create(mailbox=mailbox, name="A")
    before = Folder.objects.get(public_id=made)
    folders.rename(mailbox=mailbox, folder_id=made, name="a")
    after = Folder.objects.get(public_id=made)
    assert (after.name, after.uidvalidity) == ("a", before.uidvalidity)
    assert after.modseq == before.modseq + 1


def test_folders_with_a_role_stay():
    mailbox = make_mailbox()
    inbox = Folder.objects.get(mailbox=mailbox, role="inbox").public_id
    with pytest.raises(folders.FolderRefused, match="role"):
        folders.rename(mailbox=mailbox, folder_id=inbox, name="x")
    with pytest.raises(folders.FolderRefused, match="role"):
        folder_tree.delete(mailbox=mailbox, folder_id=inbox)


def test_levels_are_limited():
    mailbox = make_mailbox()
    parent = None
    for level in range(folders.DEPTH_MAX):
        parent = folders.create(mailbox=mailbox, name=str(level), parent_id=parent)
    with pytest.raises(folders.FolderRefused, match="depth"):
        folders.create(mailbox=mailbox, name="deeper", parent_id=parent)


def test_folders_of_others_are_not_there():
    alice, mallory = make_mailbox(name="alice"), make_mailbox(name="mallory")
    theirs = folders.create(mailbox=alice, name="A")
    for folder_id in (theirs, uuid4()):
        with pytest.raises(FolderGone):
            folder_tree.delete(mailbox=mallory, folder_id=folder_id)
        with pytest.raises(FolderGone):
            folders.create(mailbox=mallory, name="B", parent_id=folder_id)


def test_a_missing_role_is_made_once_under_a_free_name():
    mailbox = make_mailbox()
    Folder.objects.filter(mailbox=mailbox, role="archive").update(role="")
    made = folders.ensure_role(mailbox=mailbox, role="archive")
    assert Folder.objects.get(pk=made).name == "Archive 2"
    assert folders.ensure_role(mailbox=mailbox, role="archive") == made
    folders.ensure_roles(mailbox=mailbox)
    assert Folder.objects.filter(mailbox=mailbox).count() == 7
