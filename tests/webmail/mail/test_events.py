"""The event stream: whose it is, what it says, and what it holds while nothing happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import AsyncClient
from django.utils import timezone

from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.support.people import Person, give_access
from webmail.mail.views import events

pytestmark = pytest.mark.django_db(transaction=True)

Stream = AsyncIterator[bytes]


def in_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine; its thread for synchronous code leaves no connection behind."""

    async def inner() -> Any:
        try:
            return await coroutine
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(inner())


def with_stream(who: Person, run: Callable[[Stream, AsyncClient], Awaitable[Any]]) -> Any:
    """Open a stream as this person and hand it to `run`, past its first line."""

    async def inner() -> Any:
        client = AsyncClient()
        await client.aforce_login(who.user)
        response: Any = await client.get("/events/")
        assert response.status_code == 200
        stream = aiter(response.streaming_content)
        assert await anext(stream) == b"retry: 3000\n\n"
        try:
            return await run(stream, client)
        finally:
            await stream.aclose()

    return in_loop(inner())


def arrive(who: Person) -> None:
    raw = make_message(message_id="new@m.test")
    store(raw, mailbox=who.mailbox, at=timezone.now())


async def heard(stream: Stream) -> dict[str, list[str]]:
    event = (await asyncio.wait_for(anext(stream), 10)).decode()
    assert event.startswith("event: changed\ndata: ")
    assert event.endswith("\n\n")
    found: dict[str, list[str]] = json.loads(event.partition("data: ")[2])
    return found


def test_new_mail_is_told_as_an_id(alice):
    async def run(stream: Stream, client: AsyncClient) -> dict[str, list[str]]:
        await sync_to_async(arrive)(alice)
        return await heard(stream)

    assert with_stream(alice, run) == {"mail": [str(alice.box)]}


def test_a_read_delegate_hears_of_the_mailbox_too(alice, bob):
    give_access(user=bob.user, mailbox=alice.mailbox, role="read")

    async def run(stream: Stream, client: AsyncClient) -> dict[str, list[str]]:
        await sync_to_async(arrive)(alice)
        return await heard(stream)

    assert with_stream(bob, run) == {"mail": [str(alice.box)]}


def direct(who: Person, **pace: float) -> AsyncIterator[str]:
    """Open a stream of the person's mailbox without a request."""
    box = who.mailbox
    return events.stream(
        who.user.pk, names={box.pk: box.public_id}, modseqs={box.pk: box.modseq}, **pace
    )


def test_others_hear_nothing(alice, mallory):
    async def run() -> str:
        stream = direct(mallory, ping_s=1.5)
        await anext(stream)
        await sync_to_async(arrive)(alice)
        told = await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        return told

    assert in_loop(run()) == "event: ping\ndata:\n\n"


def test_an_open_stream_holds_no_connection(alice):
    async def run(stream: Stream, client: AsyncClient) -> object:
        return await sync_to_async(lambda: connection.connection)()

    assert with_stream(alice, run) is None


def test_it_ends_by_itself_and_then_frees_its_place(alice):
    async def run() -> list[str]:
        return [event async for event in direct(alice, lifetime_s=0.2)]

    assert in_loop(run())[0] == "retry: 3000\n\n"
    assert not events._open


def test_one_person_has_only_so_many(alice):
    async def run() -> int:
        streams = [direct(alice) for _ in range(events.STREAMS_MAX)]
        for stream in streams:
            await anext(stream)
        client = AsyncClient()
        await client.aforce_login(alice.user)
        status = (await client.get("/events/")).status_code
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        return int(status)

    assert in_loop(run()) == 429
    assert not events._open


def test_strangers_get_401_and_no_sign_in_page(client):
    assert client.get("/events/").status_code == 401


def test_without_an_event_loop_there_is_none(web):
    assert web.get("/events/").status_code == 204
    assert web.post("/events/").status_code == 405
