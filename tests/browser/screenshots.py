"""Pictures of every screen x theme x language x width, to be looked at before a release.

Against a running system: `python -m tests.browser.screenshots URL LOGIN PASSWORD [DIRECTORY]`.
Asserts nothing; files are named screen-width-theme-language.png.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = (1280, 390)
THEMES = ("light", "dark")
LANGUAGES = ("en", "es")
SETTLE_MS = 500


def main() -> None:
    url, login, password = sys.argv[1:4]
    directory = Path(sys.argv[4] if len(sys.argv) > 4 else "screenshots")
    directory.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for width, theme, language in product(WIDTHS, THEMES, LANGUAGES):
            page = _page(browser, url, width, theme, language)
            for name in _tour(page, login, password):
                page.wait_for_timeout(SETTLE_MS)
                whole = name == "styleguide"
                file = directory / f"{name}-{width}-{theme}-{language}.png"
                page.screenshot(path=file, full_page=whole)
            page.context.close()
        browser.close()


def _page(browser: Browser, url: str, width: int, theme: str, language: str) -> Page:
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": 800 if width > 600 else 844},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
        has_touch=width < 600,
        is_mobile=width < 600,
    )
    return context.new_page()


def _tour(page: Page, login: str, password: str) -> Iterator[str]:
    """Walk through the screens; yield the name of each when it is on."""
    page.goto("/login/")
    yield "login"
    page.fill("[name=login]", login)
    page.fill("[name=password]", "wrong")
    page.click("[data-sign-in] button")
    yield "login-refused"
    page.fill("[name=password]", password)
    page.click("[data-sign-in] button")
    page.wait_for_selector("#list")
    inbox = page.url
    yield "inbox"
    if page.locator(".opens-rail").is_visible():
        page.click(".opens-rail")
        yield "rail"
        page.keyboard.press("Escape")
    yield from _with(page, lambda: page.locator(".row__check").nth(1).check(), "selected")
    for number in range(min(page.locator("[data-row]").count(), 12)):
        page.goto(inbox)
        page.locator("[data-row] [data-open]").nth(number).click()
        page.wait_for_selector("#reading h1")
        yield f"conversation-{number:02}"
    page.locator(".message[open] .message__more").last.click()
    yield "details"
    page.keyboard.press("Escape")
    page.locator(".message[open] .menu summary.icon-button").last.click()
    yield "more"
    source = page.locator("a[href$='/source/']").last.get_attribute("href") or "/"
    for name in ("source", "headers"):
        page.goto(source.replace("source", name))
        yield name
    page.goto(inbox)
    for role in ("trash", "junk", "drafts"):
        page.goto(page.locator(f"[data-role={role}]").get_attribute("href") or "/")
        yield role
    page.goto(inbox + "?only=starred")
    yield "starred"
    page.goto(inbox)
    page.goto(page.locator("[data-write]").get_attribute("href") or "/")
    yield "compose"
    page.click("[data-send]")
    yield "compose-nobody"
    page.click("[data-rich]")
    page.wait_for_selector(".compose__editor")
    yield "compose-rich"
    page.click(".compose__later")
    yield "compose-later"
    page.goto(inbox)
    page.locator("[data-row] [data-open]").first.click()
    page.locator(".answers a").nth(1).click()
    page.wait_for_selector("[data-compose]")
    yield "compose-reply"
    for name in ("styleguide", "nothing"):
        page.goto(f"/{name}/")
        yield name


def _with(page: Page, do: Callable[[], None], name: str) -> Iterator[str]:
    do()
    yield name
    page.reload()


if __name__ == "__main__":
    main()
