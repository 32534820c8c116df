"""A watching thread hears of changes, by looking or through Redis, and ends with its listeners."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator

import pytest
from django.utils import timezone

from mailcore.directory import resolve
from mailcore.live import channel
from mailcore.live.watch import Changes, Known, Watcher
from tests.support.brokers import running_redis
from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.support.parcels import NOBODY, answer, send
from tests.support.people import Person, make_alice, make_bob
from tests.support.servers import find_redis

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> Person:
    resolve.forget()
    return make_alice()


class Ear:
    """A listener of the mailboxes of a person."""

    def __init__(self, watcher: Watcher, *people: Person) -> None:
        self.heard: queue.Queue[Changes] = queue.Queue()
        self.watcher = watcher
        for person in people:
            person.mailbox.refresh_from_db()
        modseqs = {person.mailbox.pk: person.mailbox.modseq for person in people}
        self.watching = watcher.add(modseqs, self.heard.put)

    def next(self) -> Changes:
        return self.heard.get(timeout=10)

    def close(self) -> None:
        self.watcher.remove(self.watching)


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher(look_s=0.05)
    before = set(threading.enumerate())
    yield made
    for thread in set(threading.enumerate()) - before:
        if thread.name == "live-watch":
            thread.join(10)
            assert not thread.is_alive()


def arrive(who: Person, name: str = "new") -> None:
    store(make_message(message_id=f"{name}@m.test"), mailbox=who.mailbox, at=timezone.now())


def test_new_mail_is_heard_of_by_its_own_mailbox_only(watcher, alice):
    bob = make_bob()
    ear, other = Ear(watcher, alice), Ear(watcher, bob)
    arrive(alice)
    assert ear.next() == {("mail", alice.mailbox.pk)}
    ear.close()
    other.close()
    assert other.heard.empty()


def test_a_change_before_the_first_look_is_heard_of(watcher, alice):
    modseq = alice.mailbox.modseq
    arrive(alice)
    heard: queue.Queue[Changes] = queue.Queue()
    watching = watcher.add({alice.mailbox.pk: modseq}, heard.put)
    assert heard.get(timeout=10) == {("mail", alice.mailbox.pk)}
    watcher.remove(watching)


def test_what_becomes_of_sent_mail_is_heard_of(watcher, alice, settings):
    settings.OUTBOUND_MODE = "direct"
    send(alice, "dora@outside.example", at=timezone.now())
    ear = Ear(watcher, alice)
    assert ("sending", alice.mailbox.pk) in ear.next()
    answer(NOBODY, at=timezone.now())
    heard: set[object] = set()
    while len(heard) < 2:  # the tracking, and the report that arrives
        heard |= ear.next()
    ear.close()


def test_a_listener_that_left_hears_nothing(watcher, alice):
    ear, stays = Ear(watcher, alice), Ear(watcher, alice)
    ear.close()
    arrive(alice)
    assert stays.next()
    stays.close()
    assert ear.heard.empty()


def test_a_second_life_begins_after_the_last_one_left(watcher, alice):
    Ear(watcher, alice).close()
    ear = Ear(watcher, alice)
    arrive(alice)
    assert ear.next()
    ear.close()


def test_a_thread_that_is_ending_leaves_what_came_to_the_next(watcher, alice):
    Ear(watcher, alice).close()
    gone, known = watcher._gone, Known()
    watcher._seeds = {alice.mailbox.pk: 7}  # a listener that comes before the thread has ended
    assert watcher._mailbox_ids(known, gone) == set()
    assert known.modseqs == {}
    assert watcher._seeds == {alice.mailbox.pk: 7}


def test_redis_tells_before_the_next_look(tmp_path, settings, alice, watcher):
    if find_redis() is None:
        pytest.skip("no Redis")
    with running_redis(tmp_path) as url:
        settings.REDIS_URL = url
        ear = Ear(watcher, alice)
        heard: set[object] = set()
        for _ in range(100):  # what is told before it has subscribed is lost
            channel.tell((alice.mailbox.pk,), "sending")
            with contextlib.suppress(queue.Empty):
                heard |= ear.heard.get(timeout=0.1)
            if heard:
                break
        assert heard == {("sending", alice.mailbox.pk)}
        ear.close()
        channel._senders.clear()


def test_a_redis_that_is_away_leaves_the_looks(settings, alice):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    watcher = Watcher(look_s=0.05)
    ear = Ear(watcher, alice)
    arrive(alice)
    assert ear.next() == {("mail", alice.mailbox.pk)}
    ear.close()
    channel._senders.clear()
