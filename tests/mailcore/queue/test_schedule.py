"""The retry schedule: only arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailcore.queue import schedule

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STEPS = [timedelta(minutes=count) for count in (5, 15, 30)]


@pytest.mark.parametrize(("attempt_count", "step"), [(1, 5), (2, 15), (3, 30), (4, 30), (99, 30)])
def test_steps_grow_and_the_last_repeats(attempt_count: int, step: int):
    at = schedule.next_attempt_at(attempt_count=attempt_count, now=NOW, schedule=STEPS)
    assert at == NOW + timedelta(minutes=step)


@pytest.mark.parametrize(("jitter", "seconds"), [(-0.1, 270), (0.1, 330)])
def test_jitter_is_a_fraction_of_the_step(jitter: float, seconds: int):
    at = schedule.next_attempt_at(attempt_count=1, now=NOW, schedule=STEPS, jitter=jitter)
    assert at == NOW + timedelta(seconds=seconds)


def test_no_attempt_no_time():
    with pytest.raises(ValueError, match="starts at 1"):
        schedule.next_attempt_at(attempt_count=0, now=NOW, schedule=STEPS)


def test_a_coming_mark_is_not_passed_over():
    def at(*marks: int) -> datetime:
        times = [NOW + timedelta(minutes=mark) for mark in marks]
        return schedule.next_attempt_at(attempt_count=3, now=NOW, schedule=STEPS, marks=times)

    assert at(12, 20) == NOW + timedelta(minutes=12)
    assert at(-1, 0, 31) == NOW + timedelta(minutes=30)


def test_a_bounce_waits_two_days_or_less():
    days = timedelta(days=1)
    assert schedule.lifetime_of(origin="submission", lifetime=5 * days) == 5 * days
    assert schedule.lifetime_of(origin="dsn", lifetime=5 * days) == 2 * days
    assert schedule.lifetime_of(origin="dsn", lifetime=1 * days) == 1 * days
