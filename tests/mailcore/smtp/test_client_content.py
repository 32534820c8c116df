"""Large messages to a host that refuses, floods or goes away in the middle of the content."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from dataclasses import replace

import pytest

from mailcore.smtp.status import Deferred, Delivered, Failed
from tests.support.fake_mta import (
    DEAF,
    DROP,
    ENDLESS,
    FLOOD,
    GARBAGE,
    OVERLONG,
    FakeMta,
    Script,
)
from tests.support.smtp_sending import CONTENT, PATIENT, letter, send, with_client

STAGES = ["mail", "rcpt", "data", "dot"]

LARGE = CONTENT + b"0123456789abcde\n" * 200_000


def test_large_content_goes_in_blocks_and_arrives_whole():
    with FakeMta() as mta:
        sent = send(mta, letter(content=LARGE))
    assert isinstance(sent.results[0], Delivered)
    assert mta.messages[0].content == LARGE.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("step", "kind", "enhanced"),
    [
        ("552 5.3.4 Too large", Failed, "5.3.4"),
        ("451 4.3.1 Disk", Deferred, "4.3.1"),
        ("421 4.3.2 Closing", Deferred, "4.3.2"),
        (DROP, Deferred, "4.4.2"),
        (GARBAGE, Deferred, "4.5.0"),
        (FLOOD, Deferred, "4.5.0"),
    ],
)
def test_fault_in_the_middle_of_the_content(step, kind, enhanced):
    with FakeMta(Script(mid=step)) as mta:
        sent = send(mta, letter(content=LARGE * 3), timeouts=replace(PATIENT, block_s=3))
    assert isinstance(sent.results[0], kind)
    assert sent.results[0].reply.enhanced == enhanced
    assert mta.messages == []
    assert not sent.is_usable


def test_a_yes_before_the_content_has_ended_is_not_believed():
    with FakeMta(Script(data=b"354 Go\r\n250 2.0.0 Queued\r\n")) as mta:
        sent = send(mta)
    assert isinstance(sent.results[0], Deferred)
    assert sent.results[0].reply.enhanced == "4.5.0"
    assert mta.messages == []


def test_a_host_that_stops_reading_is_left_in_time():
    with FakeMta(Script(content=DEAF)) as mta:
        started = time.monotonic()
        sent = send(mta, letter(content=LARGE * 5), timeouts=replace(PATIENT, block_s=0.4))
        assert time.monotonic() - started < 5
    assert isinstance(sent.results[0], Deferred)
    assert "take content" in sent.results[0].reply.text


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("step", [ENDLESS, OVERLONG, FLOOD])
def test_memory_is_bounded_whatever_the_host_says(stage, step):
    with FakeMta(Script(**{stage: step})) as mta:
        tracemalloc.start()
        sent = send(mta, timeouts=replace(PATIENT, mail_s=1, rcpt_s=1, data_s=1, final_dot_s=1))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # A flood that begins with the 250 to the dot is a yes.
    assert isinstance(sent.results[0], Delivered if (stage, step) == ("dot", FLOOD) else Deferred)
    assert peak < 8 * 2**20
    assert not sent.is_usable
    assert len(sent.dialogue) <= 16 * 1024


def test_a_flood_while_the_session_rests_is_not_read():
    async def act(client):
        await client.send(letter())
        await asyncio.sleep(0.5)
        sent = mta.sent_octets
        await asyncio.sleep(0.3)
        return sent, mta.sent_octets, client.is_usable

    with FakeMta(Script(dot=FLOOD)) as mta:
        before, after, is_usable = with_client(mta, act)
    assert before == after
    assert not is_usable


# --- the session ---
