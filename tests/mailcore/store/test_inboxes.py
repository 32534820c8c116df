"""store.inboxes: one list over inboxes is their rows by date, page by page, in few queries."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailcore.models.message import Message
from mailcore.store import conversations, flags, inboxes
from mailcore.store.inboxes import Inbox
from mailcore.store.matching import View, roles_of
from tests.support.deliveries import NOW, make_mailbox, make_message
from tests.support.mail_builders import folder, store

pytestmark = pytest.mark.django_db


def _inbox(mailbox) -> Inbox:
    return Inbox(mailbox, folder(mailbox).pk, roles_of(mailbox))


def _fill(mailbox, count: int, *, every: int = 1, first: int = 0) -> None:
    for n in range(count):
        raw = make_message(message_id=f"{n}@{mailbox.pk}", subject=f"{mailbox.display_name}{n}")
        store(raw, mailbox=mailbox, at=NOW + timedelta(minutes=first + n * every))


def _all(boxes, **more) -> list[str]:
    subjects, after = [], None
    while True:
        page = inboxes.list_inboxes(inboxes=[_inbox(box) for box in boxes], after=after, **more)
        subjects += [row.subject for row in page.rows]
        after = page.next_cursor
        if after is None:
            return subjects


@pytest.fixture
def boxes():
    made = [make_mailbox(name=name) for name in "abc"]
    _fill(made[0], 7, every=2)
    _fill(made[1], 5, every=3, first=1)
    return made  # the third one is empty


@pytest.mark.parametrize("is_oldest_first", [False, True])
@pytest.mark.parametrize("is_threaded", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 12, 50])
def test_pages_are_all_rows_by_date_and_each_once(boxes, limit, is_threaded, is_oldest_first):
    expected = Message.objects.order_by("received_at", "id").values_list("content__subject")
    subjects = [subject for (subject,) in expected]
    found = _all(boxes, limit=limit, is_threaded=is_threaded, is_oldest_first=is_oldest_first)
    assert found == (subjects if is_oldest_first else subjects[::-1])


def test_a_row_is_what_the_list_of_its_own_inbox_shows(boxes):
    first, second = boxes[:2]
    for role in ("inbox", "archive", "trash"):
        raw = make_message(message_id=f"{role}@r", headers=[f"In-Reply-To: <1@{first.pk}>"])
        store(raw, mailbox=first, at=NOW + timedelta(hours=1), role=role)
    page = inboxes.list_inboxes(inboxes=[_inbox(first), _inbox(second)])
    for box in (first, second):
        view = View(folder_id=folder(box).pk)
        own = conversations.list_page(mailbox=box, view=view)
        assert [row for row in page.rows if row.mailbox_id == box.pk] == own.rows
    assert page.rows[0].message_count == 3


def test_one_inbox_or_none_are_lists_too(boxes):
    assert len(_all(boxes[:1], limit=3)) == 7
    assert _all([]) == []


@pytest.mark.parametrize(("only", "expected"), [("unread", 11), ("starred", 1), ("attached", 0)])
def test_filters_narrow_every_inbox(boxes, only, expected):
    ids = list(Message.objects.filter(mailbox=boxes[1]).values_list("public_id", flat=True))
    flags.set_seen(mailbox=boxes[1], message_ids=ids[:1], value=True)
    flags.set_flagged(mailbox=boxes[1], message_ids=ids[1:2], value=True)
    assert len(_all(boxes, only=only)) == expected


def test_ten_inboxes_cost_the_queries_of_two():
    boxes = [make_mailbox(name=f"{n}-") for n in range(10)]
    for box in boxes:
        _fill(box, 3)
    places = [_inbox(box) for box in boxes]
    for count in (2, 10):
        with CaptureQueriesContext(connection) as captured:
            page = inboxes.list_inboxes(inboxes=places[:count])
        assert (len(page.rows), len(captured)) == (3 * count, 2)


@pytest.mark.parametrize("after", ["", "x", "1.", "zz.1", "f" * 17 + ".1"])
def test_a_cursor_that_is_none_gives_the_first_page(boxes, after):
    page = inboxes.list_inboxes(inboxes=[_inbox(box) for box in boxes], after=after)
    assert len(page.rows) == 12
