"""What is told to other processes: ids by what changed, once for all that came together."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from django.db import transaction

from mailcore.live import channel
from tests.support.brokers import running_redis
from tests.support.servers import find_redis


@pytest.fixture
def url(tmp_path) -> Iterator[str]:
    if find_redis() is None:
        pytest.skip("no Redis")
    with running_redis(tmp_path) as found:
        yield found


@pytest.fixture
def heard(url, settings) -> Iterator[redis.client.PubSub]:
    settings.REDIS_URL = url
    with redis.Redis.from_url(url) as client, client.pubsub() as pubsub:
        pubsub.subscribe(channel.NAME)
        assert pubsub.get_message(timeout=5)["type"] == "subscribe"
        yield pubsub
    channel._senders.clear()


def test_a_message_is_read_as_it_was_written():
    notices: set[tuple[channel.What, int]] = {("mail", 3), ("mail", 1), ("sending", 1)}
    assert channel.write(notices) == '{"mail": [1, 3], "sending": [1]}'
    assert channel.read(channel.write(notices)) == notices


@pytest.mark.parametrize(
    "message", [b"", b"nonsense", b"[]", b'{"mail": 3}', b'{"mail": ["x"]}', b'{"other": [1]}']
)
def test_what_is_no_notice_tells_nothing(message):
    assert channel.read(message) == set()


def test_redis_is_told_once_for_all(heard):
    channel.tell((1, 2), "mail")
    message = heard.get_message(timeout=5)
    assert channel.read(message["data"]) == {("mail", 1), ("mail", 2)}


def test_whoever_commits_does_not_wait_for_a_dead_redis(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    started = time.monotonic()
    for number in range(200):
        channel.tell((number,), "mail")
    assert time.monotonic() - started < 1
    channel._senders.clear()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_told_before_the_commit(heard):
    with transaction.atomic():
        channel.after_commit([7, None], "sending")
        assert heard.get_message(timeout=0.3) is None
    message = heard.get_message(timeout=5)
    assert channel.read(message["data"]) == {("sending", 7)}


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_never_told(heard):
    with transaction.atomic():
        channel.after_commit([7], "sending")
        transaction.set_rollback(True)
    assert heard.get_message(timeout=0.3) is None
