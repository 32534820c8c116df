"""store.folder_tree: parents, order, and deleting with all below."""

from uuid import UUID

import pytest

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, FolderTombstone
from mailcore.store import folder_tree, folders, move, read
from mailcore.store.changes import FolderGone
from mailcore.store.folders import FolderRefused
from mailcore.store.verify import verify
from tests.support.deliveries import make_mailbox
from tests.support.mail_builders import folder, rows, store_small

pytestmark = pytest.mark.django_db


def _make(mailbox: Mailbox, *names: str) -> list[UUID]:
    """Make folders, each in the one before."""
    made: list[UUID] = []
    for name in names:
        parent = made[-1] if made else None
        made.append(folders.create(mailbox=mailbox, name=name, parent_id=parent))
    return made


def _names(mailbox: Mailbox) -> list[str]:
    return [
        "-" * row.depth + row.name for row in read.list_folders(mailbox=mailbox) if not row.role
    ]


def test_a_folder_moves_with_all_below_it_and_only_it_is_changed():
    mailbox = make_mailbox()
    a, b = _make(mailbox, "A", "B")
    (c,) = _make(mailbox, "C")
    before = Mailbox.objects.get(pk=mailbox.pk).modseq
    folder_tree.nest(mailbox=mailbox, folder_id=a, parent_id=c)
    assert _names(mailbox) == ["C", "-A", "--B"]
    changed = Folder.objects.filter(mailbox=mailbox, modseq=before + 1)
    assert [row.public_id for row in changed] == [a]
    folder_tree.nest(mailbox=mailbox, folder_id=b, parent_id=None)
    assert _names(mailbox) == ["B", "C", "-A"]


def test_a_folder_goes_into_nothing_that_is_below_it():
    mailbox = make_mailbox()
    a, _, c = _make(mailbox, "A", "B", "C")
    for target in (a, c):
        with pytest.raises(FolderRefused, match="cycle"):
            folder_tree.nest(mailbox=mailbox, folder_id=a, parent_id=target)
    assert _names(mailbox) == ["A", "-B", "--C"]


def test_nesting_keeps_depth_names_and_roles():
    mailbox = make_mailbox()
    deep = _make(mailbox, *(str(level) for level in range(folders.DEPTH_MAX - 1)))
    tall = _make(mailbox, "X", "Y")
    again = _make(mailbox, "1")
    inbox = folder(mailbox).public_id
    for folder_id, parent_id, reason in (
        (tall[0], deep[-1], "depth"),
        (again[0], deep[0], "taken"),
        (inbox, deep[0], "role"),
    ):
        with pytest.raises(FolderRefused, match=reason):
            folder_tree.nest(mailbox=mailbox, folder_id=folder_id, parent_id=parent_id)
    folder_tree.nest(mailbox=mailbox, folder_id=tall[1], parent_id=deep[-1])


def test_neighbours_change_places_and_new_folders_come_last():
    mailbox = make_mailbox()
    made = {name: _make(mailbox, name)[0] for name in ("a", "B", "c")}
    assert folder_tree.shift(mailbox=mailbox, folder_id=made["c"], by=-1) is True
    _make(mailbox, "Aa")
    assert _names(mailbox) == ["a", "c", "B", "Aa"]
    assert folder_tree.shift(mailbox=mailbox, folder_id=made["a"], by=-1) is False
    assert folder_tree.shift(mailbox=mailbox, folder_id=made["a"], by=1) is True
    assert _names(mailbox) == ["c", "a", "B", "Aa"]


def test_deleting_puts_the_messages_of_all_levels_into_trash(monkeypatch):
    monkeypatch.setattr(folder_tree, "CHUNK", 2)
    mailbox = make_mailbox()
    a, b = _make(mailbox, "A", "B")
    ids = store_small(mailbox=mailbox, count=5)
    for chosen, target in ((ids[:3], a), (ids[3:], b)):
        pk = Folder.objects.get(public_id=target).pk
        move.move(mailbox=mailbox, message_ids=chosen, folder_id=pk)
    assert folder_tree.message_count(mailbox=mailbox, folder_id=a) == (5, 2)
    assert folder_tree.delete(mailbox=mailbox, folder_id=a) == 5
    trash = folder(mailbox, "trash")
    assert {row.folder_id for row in rows(ids)} == {trash.pk}
    assert (trash.total_count, _names(mailbox)) == (5, [])
    assert {row.folder_public_id for row in FolderTombstone.objects.all()} == {a, b}
    assert verify() == []


def test_what_has_a_role_or_belongs_to_others_is_not_deleted():
    alice, mallory = make_mailbox(name="alice"), make_mailbox(name="mallory")
    (theirs,) = _make(alice, "A")
    with pytest.raises(FolderRefused, match="role"):
        folder_tree.delete(mailbox=alice, folder_id=folder(alice, "archive").public_id)
    for deed in (
        lambda: folder_tree.delete(mailbox=mallory, folder_id=theirs),
        lambda: folder_tree.nest(mailbox=mallory, folder_id=theirs, parent_id=None),
        lambda: folder_tree.shift(mailbox=mallory, folder_id=theirs, by=1),
    ):
        with pytest.raises(FolderGone):
            deed()
    assert _names(alice) == ["A"]
