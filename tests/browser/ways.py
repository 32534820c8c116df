"""Ways of using the pages for `test_story`: what a hand does, so that the story is told once.

Each knows how to press, fill and open; the story knows what. `Mouse` is the usual one, the others
say where they differ. Nothing here goes to an address by itself except to sign in.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

WAIT_MS = 30_000


class Mouse:
    """A pointer at 1280 px, in English."""

    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
    has_scripts = True

    def __init__(self, browser: Browser, url: str) -> None:
        self.errors: list[str] = []
        self._browser = browser
        self._url = url
        self._contexts: list[BrowserContext] = []

    def person(self, login: str, password: str, *, to: str = "/") -> Page:
        """Sign a person in, in a browser of their own."""
        context = self._browser.new_context(base_url=self._url, **self.options)
        context.set_default_timeout(WAIT_MS)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        self._contexts.append(context)
        page = context.new_page()
        page.goto(f"/login/?next={to}")
        self.fill(page, "[name=login]", login)
        self.fill(page, "[name=password]", password)
        self.press(page, "[data-sign-in] button")
        page.wait_for_selector("#list, .console")
        return page

    def leave(self, page: Page) -> None:
        """Close a person's browser."""
        page.goto("about:blank")
        page.context.close()
        self._contexts.remove(page.context)

    def close(self) -> None:
        """Close everything."""
        for context in list(self._contexts):
            self.leave(context.pages[0])

    def words(self, english: str, spanish: str) -> str:
        """Return the words in the language of the pages."""
        return spanish if self.options["locale"].startswith("es") else english

    def press(self, page: Page, selector: str) -> None:
        """Use a button or link."""
        page.click(selector)

    def fill(self, page: Page, selector: str, text: str) -> None:
        """Write into a field instead of what is in it."""
        page.fill(selector, text)

    def go(self, page: Page, path: str) -> None:
        """Go somewhere by the rail."""
        self.press(page, f".rail a[href='{path}']")
        page.wait_for_url(f"**{path}")

    def begin_message(self, page: Page) -> None:
        """Open an empty compose page from wherever one is."""
        self.press(page, "[data-write]")
        self._await_compose(page)

    def attach(self, page: Page, file: Any) -> None:
        """Attach a file to the message."""
        with page.expect_file_chooser() as chosen:
            self.press(page, ".compose__pick")
        chosen.value.set_files([file])
        page.wait_for_selector("[name=remove]")

    def send(self, page: Page) -> None:
        """Send the message and wait for what is said about it."""
        self.press(page, ".compose__bar [name=send]")
        page.wait_for_selector("#toasts [data-undo]")

    def undo(self, page: Page) -> None:
        """Take back what was sent."""
        self.press(page, "[data-undo]")
        self._await_compose(page)

    def open(self, page: Page, role: str, subject: str) -> None:
        """Open a conversation in a folder; a new one may still be on its way."""
        self.press(page, f".rail [data-role={role}]")
        page.wait_for_selector(f"#list [data-row]:has-text('{subject}')")
        self.press(page, f"[data-row]:has-text('{subject}') [data-open] >> nth=0")
        page.wait_for_selector(f"#reading h1:has-text('{subject}')")

    def wait_for(self, page: Page, selector: str) -> None:
        """Wait for something that comes by itself."""
        page.wait_for_selector(selector)

    def answer(self, page: Page) -> None:
        """Answer the open message."""
        self.press(page, ".answers a >> nth=0")
        self._await_compose(page)

    def _await_compose(self, page: Page) -> None:
        page.wait_for_selector("[data-compose]")
        if self.has_scripts:
            page.locator("[data-zone]:not([value=''])").wait_for(state="attached")


class Keys(Mouse):
    """Keys alone: Tab to everything, Enter on it, and the single letters of the mail pages."""

    def press(self, page: Page, selector: str) -> None:
        self._tab_to(page, selector)
        page.keyboard.press("Enter")

    def fill(self, page: Page, selector: str, text: str) -> None:
        self._tab_to(page, selector)
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
        expect(page.locator(selector)).to_have_value(text)

    def begin_message(self, page: Page) -> None:
        page.wait_for_load_state()  # the scripts too
        page.keyboard.press("c")
        self._await_compose(page)

    def attach(self, page: Page, file: Any) -> None:
        self._tab_to(page, "[data-chooser]")
        page.wait_for_selector("[data-chooser]:focus-visible")
        with page.expect_file_chooser() as chosen:
            page.keyboard.press("Space")
        chosen.value.set_files([file])
        page.wait_for_selector("[name=remove]")

    def send(self, page: Page) -> None:
        page.wait_for_load_state()  # the scripts too
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#toasts [data-undo]")

    def undo(self, page: Page) -> None:
        page.wait_for_load_state()  # the scripts too
        page.keyboard.press("z")
        self._await_compose(page)

    def answer(self, page: Page) -> None:
        page.wait_for_load_state()  # the scripts too
        page.keyboard.press("r")
        self._await_compose(page)

    def _tab_to(self, page: Page, selector: str) -> None:
        target = page.locator(selector)
        target.wait_for(state="attached")
        for _ in range(200):
            if target.evaluate("(wanted) => wanted === document.activeElement"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab never reaches {selector}")


class Phone(Mouse):
    """A finger at 390 px, in Spanish."""

    options = {
        "viewport": {"width": 390, "height": 844},
        "locale": "es-ES",
        "has_touch": True,
        "is_mobile": True,
    }

    def press(self, page: Page, selector: str) -> None:
        if selector.startswith(".rail"):
            self._to_the_rail(page)
        page.tap(selector)

    def begin_message(self, page: Page) -> None:
        if page.locator(".float").is_hidden():
            self._to_the_rail(page)
            page.tap("[data-write]")
        else:
            page.tap(".float")
        self._await_compose(page)

    def _to_the_rail(self, page: Page) -> None:
        if page.locator(".opens-rail").is_hidden():
            page.tap("[data-back]")
        page.tap(".opens-rail")


class Plain(Mouse):
    """A pointer without JavaScript."""

    options = {**Mouse.options, "java_script_enabled": False}
    has_scripts = False

    def attach(self, page: Page, file: Any) -> None:
        page.set_input_files("[name=file]", [file])
        self.press(page, "[name=attach]")
        page.wait_for_selector("[name=remove]")

    def open(self, page: Page, role: str, subject: str) -> None:
        self.press(page, f".rail [data-role={role}]")
        self.wait_for(page, f"#list [data-row]:has-text('{subject}')")
        super().open(page, role, subject)

    def wait_for(self, page: Page, selector: str) -> None:
        for _ in range(WAIT_MS // 500):
            if page.locator(selector).count():
                return
            page.wait_for_timeout(500)
            page.reload()
        raise AssertionError(f"{selector} never comes")


Way = Mouse
WAYS = (Mouse, Keys, Phone, Plain)
