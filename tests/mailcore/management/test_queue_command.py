"""`queue` and `trace` as scripts and people use them."""

import io
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from mailcore import rawmail, trace
from tests.support.deliveries import NOW
from tests.support.queued import PREFIX, make_attempt, make_queued

pytestmark = pytest.mark.django_db

TRACE_ID = uuid.UUID(int=7)


class Terminal(io.TextIOWrapper):
    """A standard output with bytes below it."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    def octets(self) -> bytes:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def objects(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run(*arguments, "--json").splitlines()]


def test_queue_as_json_has_one_object_for_each_recipient():
    made = make_queued(
        "x@one.example",
        trace_id=TRACE_ID,
        attempt_count=2,
        last_reply="451 4.3.0 lat\x1ber\nnow",
        next_attempt_at=NOW + timedelta(minutes=5, microseconds=7),
    )
    assert objects("queue") == [
        {
            "id": str(made[0].public_id),
            "trace_id": TRACE_ID.hex,
            "reverse_path": "alice@hamburger.test",
            "forward_path": "x@one.example",
            "state": "queued",
            "attempts": 2,
            "next_attempt_at": "2026-11-21T12:05:00.000007Z",
            "last_reply": "451 4.3.0 lat\x1ber\nnow",
            "created_at": "2026-11-21T12:00:00.000000Z",
        }
    ]


def test_queue_lists_by_state_and_domain():
    make_queued("a@one.example", "b@two.example")
    make_queued("c@one.example", state="delivered")

    def listed(*options: str) -> list[object]:
        return [found["forward_path"] for found in objects("queue", *options)]

    assert listed() == ["c@one.example", "b@two.example", "a@one.example"]
    assert listed("--state", "queued", "--domain", "One.example") == ["a@one.example"]
    assert len(listed("--state", "queued", "--state", "delivered")) == 3
    assert listed("--limit", "1") == ["c@one.example"]
    with pytest.raises(CommandError):
        run("queue", "--state", "lost")


def test_queue_as_json_reads_a_long_queue_page_by_page():
    make_queued(*(f"{n}@outside.example" for n in range(1005)))
    assert len(objects("queue")) == 1005
    assert len(objects("queue", "--limit", "1002")) == 1002


def test_queue_as_a_table_is_bounded_counts_and_shows_no_control_characters():
    make_queued(*(f"{n}@outside.example" for n in range(52)), last_reply="451 \x1b[2J\nforged")
    out = run("queue")
    assert "\x1b" not in out
    assert r"451 \x1b[2J\nforged" in out
    assert out.count("@outside.example") == 50
    assert out.endswith("in all: 52 queued\n")
    assert run("queue", "--state", "held") == "in all: 52 queued\n"


def test_show_writes_the_octets_of_a_captured_message():
    [row] = make_queued("x@one.example", state="captured")
    expected = PREFIX + rawmail.read(row.message.blob)
    terminal = Terminal()
    call_command("queue", "show", str(row.public_id), stdout=terminal)
    assert terminal.octets() == expected
    assert run("queue", "show", str(row.message.public_id)).encode() == expected


def test_track_tells_every_try():
    one, _ = make_queued("x@one.example", "y@two.example")
    make_attempt(one, text="come\x1bback")
    out = run("queue", "track", str(one.public_id))
    assert f"message {one.message.public_id}" in out
    assert "to x@one.example  queued" in out
    assert r"192.0.2.1  TLSv1.3  451 4.3.0 come\x1bback" in out
    assert "to y@two.example  queued" in out


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("hold", "queued", "held"),
        ("release", "held", "queued"),
        ("release", "captured", "queued"),
        ("cancel", "held", "cancelled"),
    ],
)
def test_queued_mail_can_be_changed_by_id(action, before, after):
    one, two = make_queued("x@one.example", "y@two.example", state=before)
    make_queued("z@three.example", state=before)
    assert run("queue", action, str(one.public_id)) == f"{action} {one.public_id}: 1 recipients\n"
    states = [found["state"] for found in objects("queue")]
    assert states == [before, before, after]
    message_id = one.message.public_id
    assert run("queue", action, str(message_id)) == f"{action} {message_id}: 1 recipients\n"
    assert [found["state"] for found in objects("queue")] == [before, after, after]
    with pytest.raises(CommandError, match=f"nothing to {action}: {two.public_id}"):
        run("queue", action, str(two.public_id))


def test_retry_makes_mail_due_at_once():
    later = timezone.now() + timedelta(hours=1)
    [row] = make_queued("x@one.example", next_attempt_at=later)
    run("queue", "retry", str(row.public_id))
    row.refresh_from_db()
    assert row.next_attempt_at is not None
    assert row.next_attempt_at < later - timedelta(minutes=50)


def test_what_an_operator_did_is_in_the_trace():
    [row] = make_queued("x@one.example", trace_id=TRACE_ID)
    run("queue", "hold", str(row.public_id))
    [event] = objects("trace", TRACE_ID.hex)
    assert (event["kind"], event["detail"]) == ("held", {"by": "command line"})


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["show"], 2),
        (["list", str(TRACE_ID)], 2),
        (["show", str(TRACE_ID)], 1),
        (["track", str(TRACE_ID)], 1),
        (["hold"], 2),
        (["hold", str(TRACE_ID)], 1),
    ],
)
def test_queue_says_what_it_cannot_do(arguments, status):
    with pytest.raises(CommandError) as refused:
        run("queue", *arguments)
    assert refused.value.returncode == status


def test_trace_as_json():
    make: dict[str, Any] = {
        "trace_id": TRACE_ID,
        "reverse_path": "alice@hamburger.test",
        "peer": "192.0.2.1",
    }
    trace.record(
        [
            trace.Entry(at=NOW, kind="accepted", **make),
            trace.Entry(
                at=NOW + timedelta(seconds=1),
                kind="deferred",
                forward_path="x@one.example",
                reply="451 4.3.0 later",
                detail={"host": "mx.one.example"},
                **make,
            ),
        ]
    )
    newest, oldest = objects("trace", TRACE_ID.hex)
    assert newest == {
        "trace_id": TRACE_ID.hex,
        "at": "2026-11-21T12:00:01.000000Z",
        "kind": "deferred",
        "reverse_path": "alice@hamburger.test",
        "forward_path": "x@one.example",
        "peer": "192.0.2.1",
        "reply": "451 4.3.0 later",
        "detail": {"host": "mx.one.example"},
    }
    assert (oldest["kind"], oldest["detail"]) == ("accepted", {})
    assert len(objects("trace", "alice@hamburger.test", "--limit", "1")) == 1
    assert "deferred" in run("trace", "alice@hamburger.test")
    assert "older" in run("trace", "alice@hamburger.test", "--limit", "1")


def test_trace_of_what_nobody_knows_is_empty():
    assert run("trace", "nobody@nowhere.test") == ""
    assert objects("trace", "nobody@nowhere.test") == []
