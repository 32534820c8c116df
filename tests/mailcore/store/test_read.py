"""store.read: folders, conversations by keyset, messages; each with a bounded number of queries."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailcore.store import flags, folders, move, read
from tests.support.deliveries import NOW, make_mailbox, make_message
from tests.support.mail_builders import (
    derive_all,
    folder,
    opened,
    opened_thread,
    store,
    store_small,
)

pytestmark = pytest.mark.django_db


def _subjects(page: read.Page) -> list[str]:
    return [row.subject for row in page.rows]


def _thread_of(mailbox, count):
    """Deliver a conversation of `count` messages, a minute apart."""
    ids = []
    for n in range(count):
        headers = [f"In-Reply-To: <t{n - 1}@m.test>"] if n else []
        raw = make_message(
            message_id=f"t{n}@m.test",
            subject="Re: Plan" if n else "Plan",
            sender=f"Person {n % 2} <p{n % 2}@outside.example>",
            headers=headers,
        )
        ids += store(raw, mailbox=mailbox, at=NOW + timedelta(minutes=n))
    return ids


def test_folders_come_with_roles_first_then_names_with_children_below():
    mailbox = make_mailbox()
    work = folders.create(mailbox=mailbox, name="Work")
    folders.create(mailbox=mailbox, name="añejo")
    folders.create(mailbox=mailbox, name="Invoices", parent_id=work)
    found = [(row.name, row.depth) for row in read.list_folders(mailbox=mailbox)]
    assert found[:6] == [
        ("INBOX", 0),
        ("Drafts", 0),
        ("Sent", 0),
        ("Archive", 0),
        ("Junk", 0),
        ("Trash", 0),
    ]
    assert found[6:] == [("añejo", 0), ("Work", 0), ("Invoices", 1)]


def test_sent_and_drafts_show_to_whom_one_wrote():
    mailbox = make_mailbox()
    raw = make_message(to="Ana <ana@outside.example>, bob@hamburger.test", subject="Plan")
    for role in ("inbox", "sent", "drafts"):
        store(raw, mailbox=mailbox, role=role)
    derive_all()
    rows = {
        role: read.list_conversations(mailbox=mailbox, folder_id=folder(mailbox, role).id).rows
        for role in ("inbox", "sent", "drafts")
    }
    assert [row.recipients for row in rows["inbox"]] == [()]
    assert [row.face for row in rows["inbox"]] == [("", "carol@outside.example")]
    ana = ("Ana", "ana@outside.example")
    for role in ("sent", "drafts"):
        assert [row.recipients for row in rows[role]] == [(ana, ("", "bob@hamburger.test"))]
        assert [row.face for row in rows[role]] == [ana]


def test_a_folder_of_another_mailbox_is_not_found():
    alice, mallory = make_mailbox(name="alice"), make_mailbox(name="mallory")
    theirs = folder(alice).public_id
    assert read.folder(mailbox=mallory, public_id=theirs) is None
    junk = read.folder_by_role(mailbox=alice, role="junk")
    assert junk == read.folder(mailbox=alice, public_id=folder(alice, "junk").public_id)


def test_a_conversation_is_one_row_with_its_newest_message():
    mailbox = make_mailbox()
    ids = _thread_of(mailbox, 3)
    store_small(mailbox=mailbox, count=1)
    page = read.list_conversations(mailbox=mailbox, folder_id=folder(mailbox).pk)
    first = page.rows[0]
    assert (len(page.rows), page.next_cursor) == (2, None)
    assert (first.message_id, first.message_count, first.unseen_count) == (ids[2], 3, 3)
    assert first.senders == ("Person 1", "Person 0")
    assert first.from_address == "p0@outside.example"


def test_pages_by_cursor_show_every_conversation_once():
    mailbox = make_mailbox()
    store_small(mailbox=mailbox, count=7)  # all received at the same time
    seen: list[str] = []
    after: str | None = None
    for _ in range(4):
        page = read.list_conversations(
            mailbox=mailbox, folder_id=folder(mailbox).pk, after=after, limit=2
        )
        seen += _subjects(page)
        after = page.next_cursor
    assert seen == [f"Number {n}" for n in range(6, -1, -1)]
    assert after is None


@pytest.mark.parametrize(
    "cursor", ["", "x", "1.", "zz.1", "-1.2.3", "f" * 16 + ".1", "1." + "9" * 40]
)
def test_a_cursor_that_cannot_be_read_gives_the_first_page(cursor):
    mailbox = make_mailbox()
    store_small(mailbox=mailbox, count=1)
    page = read.list_conversations(mailbox=mailbox, folder_id=folder(mailbox).pk, after=cursor)
    assert _subjects(page) == ["Number 0"]


def test_filters_show_conversations_with_an_unread_or_starred_message_here():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=3)
    flags.set_seen(mailbox=mailbox, message_ids=ids[:2], value=True)
    flags.set_flagged(mailbox=mailbox, message_ids=ids[:1], value=True)
    inbox = folder(mailbox).pk
    unread = read.list_conversations(mailbox=mailbox, folder_id=inbox, only="unread")
    starred = read.list_conversations(mailbox=mailbox, folder_id=inbox, only="starred")
    assert _subjects(unread) == ["Number 2"]
    assert _subjects(starred) == ["Number 0"]
    assert starred.rows[0].is_flagged


def test_a_list_of_another_mailbox_is_empty():
    alice, mallory = make_mailbox(name="alice"), make_mailbox(name="mallory")
    store_small(mailbox=alice, count=1)
    page = read.list_conversations(mailbox=mallory, folder_id=folder(alice).pk)
    assert page.rows == []


@pytest.mark.parametrize("limit", [10, 100])
def test_a_page_costs_the_same_queries_whatever_its_size(limit):
    mailbox = make_mailbox()
    store_small(mailbox=mailbox, count=100)
    _thread_of(mailbox, 5)
    inbox = folder(mailbox).pk
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = read.list_conversations(mailbox=mailbox, folder_id=inbox, limit=limit)
    assert len(page.rows) == limit
    assert len(queries) == 3
    assert not any("OFFSET" in query["sql"] for query in queries.captured_queries)


def test_a_thread_shows_messages_of_all_folders_but_trash_oldest_first():
    mailbox = make_mailbox()
    ids = _thread_of(mailbox, 4)
    move.to_role(mailbox=mailbox, message_ids=ids[:1], role="trash")
    move.to_role(mailbox=mailbox, message_ids=ids[1:2], role="archive")
    thread_id = opened(mailbox, ids[3]).thread_id
    shown = opened_thread(mailbox, thread_id)
    assert [view.public_id for view in shown.messages] == ids[1:]
    assert [view.folder.role for view in shown.messages] == ["archive", "inbox", "inbox"]
    assert shown.message_count == 3
    trash = folder(mailbox, "trash").pk
    with_trash = opened_thread(mailbox, thread_id, folder_id=trash)
    assert [view.public_id for view in with_trash.messages] == ids


def test_a_thread_that_is_only_in_trash_is_shown():
    mailbox = make_mailbox()
    (message_id,) = _thread_of(mailbox, 1)
    move.to_role(mailbox=mailbox, message_ids=[message_id], role="trash")
    thread_id = opened(mailbox, message_id).thread_id
    shown = opened_thread(mailbox, thread_id)
    assert [view.public_id for view in shown.messages] == [message_id]


def test_strangers_find_neither_thread_nor_message():
    alice, mallory = make_mailbox(name="alice"), make_mailbox(name="mallory")
    (message_id,) = store_small(mailbox=alice, count=1)
    thread_id = opened(alice, message_id).thread_id
    assert read.message(mailbox=mallory, message_id=message_id) is None
    assert read.thread(mailbox=mallory, thread_id=thread_id) is None
    assert read.thread(mailbox=alice, thread_id=uuid4()) is None


def test_opening_a_thread_costs_six_queries_whatever_its_length():
    mailbox = make_mailbox()
    ids = _thread_of(mailbox, 20)
    derive_all()
    thread_id = opened(mailbox, ids[0]).thread_id
    with CaptureQueriesContext(connection) as queries:
        shown = opened_thread(mailbox, thread_id)
    assert len(shown.messages) == 20
    assert len(queries) <= 6
