"""Search finds a message by any of its names, newest first, in bounds and within a scope."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailcore import trace
from mailcore.trace.search import LIMIT, Found, Scope, search

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ALICE, BOB, CAROL = "alice@crepes.test", "bob@hamburger.test", "carol@outside.example"

pytestmark = pytest.mark.django_db


def event(kind: str, *, minute: int = 0, trace_id: uuid.UUID, **values: Any) -> trace.Entry:
    at = NOW + timedelta(minutes=minute)
    return trace.Entry(**{"trace_id": trace_id, "at": at, "kind": kind, **values})


@pytest.fixture
def story() -> uuid.UUID:
    """One message from Carol to Bob, whose alias leads on to Alice, and a stranger's mail."""
    one, other = uuid.uuid4(), uuid.uuid4()
    trace.record(
        [
            event("accepted", trace_id=one, reverse_path=CAROL, forward_path=BOB, message_id="1@m"),
            event("queued", minute=1, trace_id=one, reverse_path=CAROL, forward_path=ALICE),
            event("delivered", minute=2, trace_id=one, reverse_path=CAROL, forward_path=ALICE),
            event("refused", trace_id=other, reverse_path="x@y.test", forward_path="z@y.test"),
        ]
    )
    return one


def kinds(query: str, **options: Any) -> list[str]:
    return [entry.kind for entry in search(query=query, **options).entries]


@pytest.mark.parametrize("spell", [str, lambda one: one.hex, lambda one: one.hex.upper()])
def test_trace_id_finds_all_events_newest_first(story, spell):
    assert kinds(spell(story)) == ["delivered", "queued", "accepted"]


@pytest.mark.parametrize("query", ["<1@m>", "1@m", " 1@m "])
def test_message_id_finds_events_that_do_not_carry_it_too(story, query):
    assert kinds(query) == ["delivered", "queued", "accepted"]


def test_address_finds_what_it_sent_and_what_it_got(story):
    assert kinds(CAROL) == ["delivered", "queued", "accepted"]
    assert kinds(ALICE) == ["delivered", "queued"]
    assert kinds(BOB) == ["accepted"]


def test_address_is_found_however_it_is_spelt():
    trace.record([event("accepted", trace_id=uuid.uuid4(), forward_path="Bob@hamburger.test")])
    trace.record([event("stored", trace_id=uuid.uuid4(), forward_path="bob@xn--bcher-kva.test")])
    assert kinds("Bob@hamburger.test") == ["accepted"]
    assert kinds("bob@BÜCHER.test") == ["stored"]


def test_what_sent_to_itself_is_found_once():
    trace.record(
        [event("stored", trace_id=uuid.uuid4(), reverse_path=BOB, forward_path=BOB, message_id=BOB)]
    )
    assert kinds(BOB) == ["stored"]


@pytest.mark.parametrize(
    "query", ["", "<>", "nobody@nowhere.test", "bob", "%", str(uuid.UUID(int=9))]
)
def test_what_nobody_knows_finds_nothing(story, query):
    assert search(query=query) == Found((), None)


def test_scope_shows_only_events_of_its_addresses_or_domains(story):
    query = story.hex
    assert kinds(query, scope=Scope(addresses=frozenset({BOB}))) == ["accepted"]
    assert kinds(query, scope=Scope(domains=frozenset({"crepes.test"}))) == ["delivered", "queued"]
    assert kinds(query, scope=Scope(addresses=frozenset({"mallory@crepes.test"}))) == []
    assert kinds(query, scope=Scope()) == []


def test_pages_follow_each_other_without_gap_or_repeat():
    one = uuid.uuid4()
    trace.record(
        event("attempted", minute=n // 3, trace_id=one, reverse_path=BOB, reply=str(n))
        for n in range(10)
    )
    replies, before = [], None
    while True:
        page = search(query=BOB, before=before, limit=4)
        replies += [entry.reply for entry in page.entries]
        before = page.before
        if before is None:
            break
    assert replies == [str(n) for n in reversed(range(10))]


def test_narrow_scope_reads_no_more_than_its_bound():
    trace.record(event("stored", trace_id=uuid.uuid4(), forward_path=BOB) for _ in range(50))
    nothing = Scope(addresses=frozenset({ALICE}))
    page = search(query=BOB, scope=nothing, read_max=30)
    assert page.entries == ()
    assert page.before is not None
    assert search(query=BOB, scope=nothing, read_max=30, before=page.before) == Found((), None)


def test_no_question_gets_more_than_the_limit(django_assert_max_num_queries):
    trace.record(event("stored", trace_id=uuid.uuid4(), forward_path=BOB) for _ in range(LIMIT + 5))
    with django_assert_max_num_queries(5):
        page = search(query=BOB, limit=10**6)
    assert len(page.entries) == LIMIT
    assert len(search(query=BOB, before=page.before).entries) == 5
