"""Trace events are kept as given, and with the transaction they belong to."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from mailcore import trace
from mailcore.models.trace import TraceEvent

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def entry(**values) -> trace.Entry:
    return trace.Entry(**{"trace_id": uuid.uuid4(), "at": NOW, "kind": "refused", **values})


def test_an_event_comes_back_as_it_was_recorded():
    given = entry(
        kind="stored",
        reverse_path="alice@crepes.test",
        forward_path="bob@hamburger.test",
        message_id="1@crepes.test",
        mailbox_id=7,
        domain_id=8,
        peer="192.0.2.1",
        reply="250 2.6.0 Accepted",
        detail={"first": "x", "into": ["a", "b"]},
    )
    later = entry(trace_id=given.trace_id, at=NOW + timedelta(seconds=1), kind="moved")
    trace.record([later, given, entry()])
    assert trace.of_trace(given.trace_id) == [given, later]


def test_what_a_peer_sent_is_cut_and_freed_of_what_a_database_refuses():
    given = entry(reply="550 " + "x" * 1000, reverse_path="a\0b\udc80@x", peer="p" * 200)
    trace.record([given])
    [found] = trace.of_trace(given.trace_id)
    assert found.reply == "550 " + "x" * 596
    assert found.reverse_path == "a?b?@x"
    assert len(found.peer) == 100


def test_events_go_with_their_transaction():
    with transaction.atomic():
        trace.record([entry()])
        transaction.set_rollback(True)
    assert not TraceEvent.objects.exists()


def test_many_events_cost_few_queries(django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        trace.record(entry() for _ in range(500))
    assert TraceEvent.objects.count() == 500
