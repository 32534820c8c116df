"""Fixtures for every test: the clock; what a run left out is said at its end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import HealthCheck, settings

from tests.support.clock import Clock
from tests.support.servers import find_chromium

# No deadlines: a busy machine is no fault of the code, and timed assertions never stand in tests.
settings.register_profile("casilla", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("casilla")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the browser part where there is no Chromium."""
    if find_chromium():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what scripts/test.sh could not run, next to pytest's own summary."""
    not_run = os.environ.get("CASILLA_NOT_RUN", "")
    if not_run:
        terminalreporter.section("not run")
        terminalreporter.line(not_run)


@pytest.fixture(autouse=True)
def _language_of_its_own() -> Iterator[None]:
    """Leave no language behind: a page in Spanish sets that of its thread."""
    yield
    translation.deactivate()


@pytest.fixture
def clock() -> Clock:
    return Clock()
