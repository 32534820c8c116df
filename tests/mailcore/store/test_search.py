"""store.search: pages of what a search finds, and nothing of anybody else's."""

from datetime import timedelta

import pytest

from mailcore.search.query import parse
from mailcore.store import search
from tests.support.deliveries import NOW, make_mailbox, make_message
from tests.support.mail_builders import derive_all, store

pytestmark = pytest.mark.django_db


def find(mailbox, text: str, **more):
    query = parse(text, language="en", today=NOW.date())
    return search.search(mailbox=mailbox, query=query, me=["bob@hamburger.test"], now=NOW, **more)


def fill(mailbox, count: int) -> None:
    for n in range(count):
        raw = make_message(message_id=f"{n}@m.test", subject=f"Number {n}", body="common words")
        store(raw, mailbox=mailbox, at=NOW - timedelta(hours=n))
    derive_all()


def test_words_are_found_page_by_page_newest_first():
    mailbox = make_mailbox()
    fill(mailbox, 5)
    first = find(mailbox, "common", limit=2)
    second = find(mailbox, "common", limit=2, after=first.next_cursor)
    third = find(mailbox, "common", limit=2, after=second.next_cursor)
    subjects = [row.subject for page in (first, second, third) for row in page.rows]
    assert subjects == [f"Number {n}" for n in range(5)]
    assert (first.count, first.is_capped, third.next_cursor) == (5, False, None)


def test_the_oldest_come_first_when_asked():
    mailbox = make_mailbox()
    fill(mailbox, 3)
    first = find(mailbox, "common", limit=2, oldest_first=True)
    second = find(mailbox, "common", limit=2, oldest_first=True, after=first.next_cursor)
    subjects = [row.subject for page in (first, second) for row in page.rows]
    assert subjects == ["Number 2", "Number 1", "Number 0"]


def test_an_empty_search_finds_nothing():
    mailbox = make_mailbox()
    fill(mailbox, 1)
    assert find(mailbox, "  ").rows == []


def test_trash_and_junk_are_searched_only_by_name():
    mailbox = make_mailbox()
    store(make_message(subject="kept"), mailbox=mailbox)
    store(make_message(subject="thrown"), mailbox=mailbox, role="trash")
    derive_all()
    assert [row.subject for row in find(mailbox, "hi").rows] == ["kept"]
    assert [row.subject for row in find(mailbox, "hi in:trash").rows] == ["thrown"]
    assert len(find(mailbox, "hi in:anywhere").rows) == 2


def test_bulk_actions_get_the_ids():
    mailbox = make_mailbox()
    fill(mailbox, 3)
    query = parse("common", language="en", today=NOW.date())
    ids = search.matching_ids(mailbox=mailbox, query=query, me=[], now=NOW, limit=2)
    assert ids == [row.public_id for row in find(mailbox, "common").rows][:2]
