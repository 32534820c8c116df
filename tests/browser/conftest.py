"""Chromium for browser tests: one process a run, a fresh context a test.

Skipped where Chromium is not installed. Playwright's synchronous API keeps an event loop in this
thread, so Django must be told that its ORM is not called from a coroutine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from tests.support.people import PASSWORD, Person, make_person
from tests.support.servers import find_chromium
from webmail.assets.build import build

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = find_chromium()
PATIENCE_MS = 20_000  # a machine of two cores that does other things too
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The one event loop of Playwright; it ends with this package: others run their own."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as started:
        yield started
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def chromium(playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def assets() -> None:
    """Build font, icons and catalogues where the live server finds them."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    build(
        assets=settings.ASSETS_DIR,
        locale_source=ROOT / "locale",
        locale_target=settings.LOCALE_DIR,
    )


@pytest.fixture
def alice(transactional_db) -> Person:
    return make_person("alice@crepes.test", name="Alice Lefèvre")


NewContext = Callable[..., BrowserContext]


@pytest.fixture
def context(chromium, assets, live_server) -> Iterator[NewContext]:
    """Make contexts with `browser.new_context` options; failures of scripts fail the test."""
    made: list[BrowserContext] = []
    errors: list[str] = []

    def new(**options: object) -> BrowserContext:
        usual = {"base_url": live_server.url, "locale": "en-GB"}
        options = {**usual, "viewport": {"width": 1280, "height": 800}, **options}
        fresh: BrowserContext = chromium.new_context(**options)
        fresh.on("weberror", lambda error: errors.append(str(error.error)))
        fresh.on("console", lambda line: _note(errors, line.text))
        fresh.set_default_timeout(PATIENCE_MS)
        made.append(fresh)
        return fresh

    yield new
    for fresh in made:
        fresh.close()
    assert errors == []


def _note(errors: list[str], text: str) -> None:
    """Keep what says that a policy blocked something."""
    if "Content Security Policy" in text:
        errors.append(text)


def sign_in(page: Page, person: Person) -> None:
    """Sign in by the form, as a person does."""
    page.goto("/login/")
    page.fill("[name=login]", person.address)
    page.fill("[name=password]", PASSWORD)
    page.click("[data-sign-in] button")
    page.wait_for_selector("#list")
    page.wait_for_load_state()  # a key pressed before the scripts are there does nothing


@pytest.fixture
def page(context, alice) -> Page:
    """Alice's inbox, signed in, with scripts, 1280 px."""
    opened: Page = context().new_page()
    sign_in(opened, alice)
    return opened
