"""Pictures of every screen x theme x language x width, to be looked at before a release.

Against a running system with the demonstration's mail (`STYLEGUIDE=true manage.py serve`):
`python -m tests.browser.screenshots URL PASSWORD_FILE [DIRECTORY] [--only 390-dark-es]`.
Sends the mail of `tour.prepare`. Asserts nothing; files are named width-theme-language-screen.png.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import tour
from tests.support.servers import find_chromium

WIDTHS = (1280, 390)
THEMES = ("light", "dark")
LANGUAGES = ("en", "es")
SETTLE_MS = 400


def main() -> None:
    """Walk the tours once for each look."""
    parser = argparse.ArgumentParser(description="Take pictures of every screen.")
    parser.add_argument("url")
    parser.add_argument("passwords", type=Path, help="lines of a login and its password")
    parser.add_argument("directory", type=Path, nargs="?", default=Path("screenshots"))
    parser.add_argument("--only", default="", help="looks that begin so, as 1280-light")
    parser.add_argument("--no-mail", action="store_true", help="send nothing before")
    told = parser.parse_args()
    told.directory.mkdir(exist_ok=True)
    passwords = dict(line.split() for line in told.passwords.read_text().splitlines())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        if not told.no_mail:
            page = _page(browser, told.url, 1280, "light", "en")
            tour.enter(page, *_who(passwords, "alice"))
            tour.prepare(page)
            page.context.clear_cookies()
            tour.enter(page, *_who(passwords, "operator"), to="/console/")
            tour.release(page)
        for width, theme, language in product(WIDTHS, THEMES, LANGUAGES):
            look = f"{width}-{theme}-{language}"
            if look.startswith(told.only):
                page = _page(browser, told.url, width, theme, language)
                _walk(page, passwords, told.directory / look)
                page.context.close()
        browser.close()


def _walk(page: Page, passwords: dict[str, str], place: Path) -> None:
    _shoot(page, tour.strangers(page, _who(passwords, "alice")[0]), place)
    for walk in (tour.mail, tour.writing, tour.finding):
        page.context.clear_cookies()
        tour.enter(page, *_who(passwords, "alice"))
        _shoot(page, walk(page), place)
    page.context.clear_cookies()
    tour.enter(page, *_who(passwords, "operator"), to="/console/")
    _shoot(page, tour.console(page), place)


def _shoot(page: Page, names: Iterable[str], place: Path) -> None:
    for name in names:
        page.wait_for_timeout(SETTLE_MS)
        file = f"{place}-{re.sub(r'[^a-z0-9]+', '-', name).strip('-')}.png"
        page.screenshot(path=file, full_page=name == "styleguide")


def _who(passwords: dict[str, str], name: str) -> tuple[str, str]:
    login = next(login for login in passwords if login.startswith(name))
    return login, passwords[login]


def _page(browser: Browser, url: str, width: int, theme: str, language: str) -> Page:
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": 800 if width > 600 else 844},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
        has_touch=width < 600,
        is_mobile=width < 600,
    )
    context.set_default_timeout(30_000)
    return context.new_page()


if __name__ == "__main__":
    main()
