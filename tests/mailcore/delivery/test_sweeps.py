"""What is forgotten by age."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session

from mailcore import trace
from mailcore.delivery import sweeps
from mailcore.models.identity import AuthThrottle
from mailcore.queue import inspect
from mailcore.store import sweep
from tests.support.deliveries import NOW
from tests.support.queued import make_queued

pytestmark = pytest.mark.django_db(transaction=True)


def test_old_sessions_and_failed_sign_ins_are_forgotten():
    for age in (1, -1):
        Session.objects.create(
            session_key=f"k{age}", session_data="", expire_date=NOW - timedelta(days=age)
        )
    AuthThrottle.objects.create(key="old", window=NOW - timedelta(days=3), count=1)
    AuthThrottle.objects.create(key="new", window=NOW, count=1)
    counts = sweeps.run_all(now=NOW)
    assert (counts["sessions"], counts["throttle"]) == (1, 1)
    assert Session.objects.get().session_key == "k-1"
    assert AuthThrottle.objects.get().key == "new"


def test_finished_mail_is_forgotten_and_waiting_mail_is_not():
    make_queued("done@outside.example", state="delivered", at=NOW - timedelta(days=31))
    make_queued("waiting@outside.example", at=NOW - timedelta(days=31))
    assert sweeps.run_all(now=NOW)["queue"] == 1
    [left] = inspect.recipients().recipients
    assert left.forward_path == "waiting@outside.example"


def test_a_sweep_leaves_what_is_more_than_its_portion_to_the_next_call(monkeypatch):
    monkeypatch.setattr(sweep, "PORTION", 1)
    monkeypatch.setattr(sweep, "CHUNK", 1)
    long_ago = NOW - timedelta(days=40)
    trace.record(
        trace.Entry(trace_id=uuid4(), at=long_ago, kind="accepted", forward_path=f"{n}@a.test")
        for n in range(5)
    )
    removed = []
    while True:
        counts = sweeps.run_all(now=NOW)
        removed.append(counts["trace"])
        if not sweeps.has_more(counts):
            break
    assert removed == [2, 2, 1, 0]


def test_a_stop_ends_the_sweeps():
    assert sweeps.run_all(now=NOW, is_stopping=lambda: True) == {}
