"""Events written behind arrive soon, in order, and never without bound."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from mailcore import trace
from mailcore.models.trace import TraceEvent

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SOON = timedelta(milliseconds=20)


def entry(number: int) -> trace.Entry:
    return trace.Entry(trace_id=uuid.UUID(int=number), at=NOW, kind="refused")


def recorded() -> list[int]:
    return [row.trace_id.int for row in TraceEvent.objects.order_by("id")]


@pytest.mark.django_db(transaction=True)
def test_events_are_written_by_the_thread():
    behind = trace.Behind(interval=SOON)
    behind.start()
    try:
        for number in range(10):
            behind.put(entry(number))
        deadline = time.monotonic() + 20
        while len(recorded()) < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert recorded() == list(range(10))
    finally:
        behind.stop()


@pytest.mark.django_db(transaction=True)
def test_stop_writes_what_is_left():
    behind = trace.Behind(interval=timedelta(hours=1))
    behind.start()
    behind.put(entry(1))
    behind.stop()
    assert recorded() == [1]


@pytest.mark.django_db
def test_what_does_not_fit_is_counted_and_dropped():
    behind = trace.Behind(capacity=3)
    for number in range(5):
        behind.put(entry(number))
    assert behind.dropped_count == 2
    assert behind.flush() is True
    assert recorded() == [0, 1, 2]


@pytest.mark.django_db
def test_many_threads_may_put():
    behind = trace.Behind(capacity=500)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: behind.put(entry(number)), range(600)))
    behind.flush()
    assert TraceEvent.objects.count() == 500
    assert behind.dropped_count == 100


@pytest.mark.django_db(transaction=True)
def test_events_wait_while_the_database_is_away(caplog):
    behind = trace.Behind()
    behind.put(entry(1))
    behind.put(entry(2))
    table = TraceEvent._meta.db_table
    with connection.schema_editor() as editor:
        editor.alter_db_table(TraceEvent, table, table + "_away")
    try:
        assert behind.flush() is False
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(TraceEvent, table + "_away", table)
    assert "trace.not_written" in caplog.messages
    assert behind.flush() is True
    assert recorded() == [1, 2]
