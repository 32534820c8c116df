"""What people see of the queue: lists in pages, one message with its tries, its octets."""

import uuid
from datetime import timedelta

import pytest

from mailcore import rawmail
from mailcore.models.queue import QueuedMessage
from mailcore.queue import inspect
from tests.support.deliveries import NOW
from tests.support.people import make_alice, make_bob
from tests.support.queued import PREFIX, make_attempt, make_queued

pytestmark = pytest.mark.django_db


def paths(**filters) -> list[str]:
    return [view.forward_path for view in inspect.recipients(**filters).recipients]


def test_a_recipient_is_shown_with_its_message():
    [row] = make_queued("x@outside.example", attempt_count=2, last_reply="451 4.3.0 later")
    [view] = inspect.recipients().recipients
    assert view == inspect.RecipientView(
        id=row.public_id,
        message_id=row.message.public_id,
        trace_id=row.message.trace_id,
        reverse_path="alice@hamburger.test",
        forward_path="x@outside.example",
        original_forward_path="",
        domain="outside.example",
        route="mx",
        state="queued",
        dsn_outcome="",
        attempts=2,
        next_attempt_at=NOW,
        last_reply="451 4.3.0 later",
        remote_host="",
        created_at=NOW,
        finished_at=None,
    )


def test_filters_by_state_domain_and_submitter():
    alice, bob = make_alice(), make_bob()
    make_queued("a@one.example", "b@two.example")
    make_queued("c@one.example", state="held")
    QueuedMessage.objects.update(submitter=alice.user)
    make_queued("d@one.example", state="delivered")
    assert paths(states=["held"]) == ["c@one.example"]
    assert paths(states=inspect.WAITING) == ["c@one.example", "b@two.example", "a@one.example"]
    assert paths(domains=["two.example"]) == ["b@two.example"]
    assert paths(states=["queued"], domains=["one.example"]) == ["a@one.example"]
    assert len(paths(submitter_id=alice.user.pk)) == 3
    assert paths(submitter_id=bob.user.pk) == []
    counts = inspect.counts()
    assert set(counts) == set(inspect.STATES)
    assert {name: n for name, n in counts.items() if n} == {"queued": 2, "held": 1, "delivered": 1}


def test_pages_follow_each_other_newest_first(django_assert_num_queries):
    make_queued(*(f"{n}@outside.example" for n in range(7)))
    seen, before, pages = [], None, 0
    while True:
        with django_assert_num_queries(1):
            page = inspect.recipients(before=before, limit=3)
        seen += [view.forward_path for view in page.recipients]
        before, pages = page.before, pages + 1
        if before is None:
            break
    assert seen == [f"{n}@outside.example" for n in reversed(range(7))]
    assert pages == 3


def test_a_page_that_is_just_full_is_the_last():
    make_queued("a@outside.example", "b@outside.example")
    assert inspect.recipients(limit=2).before is None


def test_a_message_is_found_by_its_id_and_by_those_of_its_recipients():
    one, two = make_queued("a@outside.example", "b@outside.example")
    make_queued("c@outside.example")
    make_attempt(one, at=NOW + timedelta(minutes=5), code=250, text="ok")
    make_attempt(one)
    views = [
        inspect.message(public_id=public_id)
        for public_id in (one.message.public_id, one.public_id, two.public_id)
    ]
    assert views[0] == views[1] == views[2]
    view = views[0]
    assert view is not None
    assert view.id == one.message.public_id
    assert [tracked.recipient.id for tracked in view.recipients] == [one.public_id, two.public_id]
    first, second = view.recipients[0].attempts
    assert (first.code, first.text, first.ip) == (451, "later", "192.0.2.1")
    assert (second.code, second.started_at) == (250, NOW + timedelta(minutes=5))
    assert view.recipients[1].attempts == ()


def test_the_source_is_what_would_be_sent():
    [row] = make_queued("a@outside.example", state="captured")
    raw = PREFIX + rawmail.read(row.message.blob)
    assert inspect.source(public_id=row.public_id) == raw
    assert inspect.source(public_id=row.message.public_id) == raw
    assert len(raw) == row.message.size


def test_an_id_that_nobody_has():
    assert inspect.message(public_id=uuid.uuid4()) is None
    assert inspect.source(public_id=uuid.uuid4()) is None
