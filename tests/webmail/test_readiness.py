"""`/readyz`: every part is asked, one that is bad makes 503, and what hangs is not waited for."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from mailcore.models.queue import Destination
from mailcore.queue import inspect
from tests.support.brokers import running_redis
from tests.support.queued import make_queued
from tests.support.servers import find_redis, free_port
from webmail.readiness import OVERDUE_MAX_S, Finding, Questions

LATE = timedelta(seconds=OVERDUE_MAX_S + 60)


@pytest.fixture
def answer(client):
    """What a watcher gets: status and JSON."""

    def get():
        response = client.get("/readyz")
        assert response["Cache-Control"] == "no-store"
        return response.status_code, response.json()

    return get


@pytest.mark.django_db(transaction=True)
def test_a_sound_system_is_ready(answer):
    status, found = answer()
    assert (status, found.pop("ready")) == (200, True)
    assert found.pop("disk")["free_percent"] in range(101)
    assert found == {
        "database": {"ok": True},
        "broker": {"ok": True, "used": False},
        "queue": {"ok": True, "overdue_s": 0},
    }


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_nobody_runs_is_not_ready(answer):
    make_queued("x@one.example", at=timezone.now() - LATE)
    status, found = answer()
    assert (status, found["ready"], found["queue"]["ok"]) == (503, False, False)
    assert found["queue"]["overdue_s"] > OVERDUE_MAX_S
    assert found["database"]["ok"] is True


@pytest.mark.django_db
def test_only_what_waits_for_us_is_overdue():
    now = timezone.now()
    make_queued("x@one.example", at=now - LATE)
    make_queued("x@two.example", at=now + LATE)
    make_queued("x@three.example", at=now - 2 * LATE, state="held")
    assert inspect.overdue_s(now=now) == LATE.total_seconds()
    Destination.objects.create(kind="domain", name="one.example", hold_until=now + LATE)
    assert inspect.overdue_s(now=now) == 0


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_not_ready(answer, settings, tmp_path):
    settings.DATA_DIR, settings.DISK_FREE_MIN = tmp_path, 2**60
    status, found = answer()
    assert (status, found["disk"]["ok"]) == (503, False)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_gone_is_not_ready(answer, settings):
    settings.REDIS_URL = f"redis://:pass-word@127.0.0.1:{free_port()}/0"
    status, found = answer()
    assert (status, found["broker"]) == (503, {"ok": False})
    assert "pass-word" not in str(found)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(find_redis() is None, reason="no Redis")
def test_a_broker_that_answers_is_ready(answer, settings, tmp_path):
    with running_redis(tmp_path) as settings.REDIS_URL:
        assert answer()[1]["broker"] == {"ok": True}


def test_what_hangs_or_fails_is_not_well_and_is_not_asked_twice():
    release, asked = threading.Event(), []

    def hangs() -> Finding:
        asked.append(1)
        release.wait(20)
        return Finding(is_well=True)

    def fails() -> Finding:
        raise DatabaseError("password=secret")

    questions = Questions({"slow": hangs, "broken": fails, "sound": lambda: Finding(True)})
    began = time.monotonic()
    for _ in range(3):
        found = questions.ask(within_s=0.05)
    assert time.monotonic() - began < 5
    assert {name: one.is_well for name, one in found.items()} == {
        "slow": False,
        "broken": False,
        "sound": True,
    }
    assert (len(asked), found["broken"].facts) == (1, {})
    release.set()
    assert questions.ask(within_s=20)["slow"].is_well
