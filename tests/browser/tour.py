"""The way through every screen, for `screenshots`: each step yields the name of what is on.

Expects the demonstration's mail, and mail of the story that `prepare` sends. Asserts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import FilePayload, Page

CONVERSATIONS = 8
CONSOLE = (
    *("domains", "mailboxes", "addresses", "users", "queue", "captured", "blocks", "audit"),
    *("domains/new", "mailboxes/new", "addresses/new", "users/new"),
)
SETTINGS = (
    *("", "general/", "identities/", "appearance/", "reading/", "keyboard/", "notifications/"),
    *("security/", "senders/", "folders/", "labels/"),
)
FILES: list[FilePayload] = [
    {"name": "Menú de otoño.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n" * 9000},
    {"name": "terrace.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff" * 70000},
]


def enter(page: Page, login: str, password: str, *, to: str = "/") -> None:
    """Sign in by the form and go to a page."""
    page.goto(f"/login/?next={to}")
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.click("[data-sign-in] button")
    page.wait_for_selector("#list, .console")


def prepare(page: Page) -> None:
    """Write what the outbox, tracking and the console show; the page is alice's."""
    inbox = page.url
    for to, subject, later in (
        ("Bob Ortega <bob@hamburger.test>", "Griddle plan", ""),
        (
            "dora@outside.example, gus@harbour.invalid, Bob Ortega <bob@hamburger.test>",
            "Posters for the 21st",
            "",
        ),
        ("elif@terrace.example", "Thank you", "tomorrow"),
    ):
        page.goto(inbox)
        page.goto(_href(page, "[data-write]"))
        page.fill("[name=to]", to)
        page.fill("[name=subject]", subject)
        page.fill("[data-text]", "The list is attached.\n\nAlice")
        page.set_input_files("[data-chooser]", FILES[:1])
        page.wait_for_selector("[name=remove]")
        if later:
            page.click(".compose__later")
        page.click(f"[name=later][value={later}]" if later else "[data-send]")
        page.wait_for_selector("#list")
    page.wait_for_timeout(15_000)  # the time to undo


def release(page: Page) -> None:
    """Let one captured message go, so that a try is on record; the page is an operator's."""
    page.goto("/console/captured/")
    page.locator("tr:has-text('gus@') input").first.check()
    page.click("button[value=send]")


def strangers(page: Page, login: str) -> Iterator[str]:
    """Show what is seen without signing in."""
    page.goto("/login/")
    yield "login"
    page.fill("[name=login]", login)
    page.fill("[name=password]", "wrong")
    page.click("[data-sign-in] button")
    yield "login-refused"
    for name in ("styleguide", "nothing", "setup/spent"):
        page.goto(f"/{name}/")
        yield name
    page.goto("/login/")
    page.evaluate(
        "() => { const form = document.querySelector('[data-sign-in]');"
        " form.querySelector('[name=csrfmiddlewaretoken]').value = 'x'; form.submit(); }"
    )
    yield "forged"


def mail(page: Page) -> Iterator[str]:
    """Show reading: the list, what opens from it, conversations, folders."""
    inbox = page.url
    yield "inbox"
    if page.locator(".opens-rail").is_visible():
        page.click(".opens-rail")
        yield "rail"
        page.keyboard.press("Escape")
    page.locator(".row__check").nth(1).check()
    yield "selected"
    for number in range(min(page.locator("[data-row]").count(), CONVERSATIONS)):
        page.goto(inbox)
        page.goto(_href(page, "[data-row] [data-open]", number))
        yield f"conversation-{number:02}"
    page.locator(".message[open] .message__more").last.click()
    yield "details"
    page.keyboard.press("Escape")
    page.locator(".message[open] .menu summary.icon-button").last.click()
    yield "more"
    source = _href(page, "a[href$='/source/']", -1)
    for name in ("source", "headers", "print"):
        page.goto(source.replace("source", name))
        yield name
    page.goto(inbox)
    for role in ("trash", "junk", "drafts", "archive"):
        page.goto(inbox)
        page.goto(_href(page, f"[data-role={role}]"))
        yield role
    page.goto(inbox + "?only=starred")
    yield "starred"


def writing(page: Page) -> Iterator[str]:
    """Show composing, the outbox and tracking."""
    inbox = page.url
    write = _href(page, "[data-write]")
    page.goto(write)
    yield "compose"
    page.click("[data-send]")
    yield "compose-nobody"
    page.set_input_files("[data-chooser]", FILES)
    page.locator("[name=remove]").nth(1).wait_for()
    page.click(".compose__copies > summary")
    page.fill("[name=cc]", "bob@hamburger.test, Elif Yıldız <elif@terrace.example>")
    yield "compose-files"
    page.click("[data-rich]")
    page.wait_for_selector(".compose__editor")
    yield "compose-rich"
    page.click(".compose__later")
    yield "compose-later"
    page.goto(inbox)
    page.goto(_href(page, "[data-row] [data-open]", 2))
    page.goto(_href(page, ".answers a", 1))
    yield "compose-reply"
    page.goto(inbox)
    page.goto(_href(page, "a[href$='/outbox/']"))
    yield "outbox"
    page.goto(inbox)
    page.goto(_href(page, "[data-role=sent]"))
    yield "sent"
    page.goto(_href(page, "[data-row]:has-text('Posters') [data-open]"))
    for one in page.locator("details.message, details.tracking").all():
        one.evaluate("(one) => { one.open = true; }")
    yield "tracking"
    page.goto(_href(page, "a.parcel__link[href*='/sent/']"))
    yield "parcel"


def finding(page: Page) -> Iterator[str]:
    """Show search, contacts and settings, with one contact and one label made for it."""
    inbox = page.url
    search = page.locator("[data-search]").get_attribute("action")
    page.click("[data-search-more]")
    page.wait_for_selector("#search-panel:not([hidden])")
    yield "search-form"
    for name, query in (("found", "the"), ("found-none", "zzzz has:file")):
        page.goto(f"{search}?q={query}")
        yield f"search-{name}"
    page.goto("/contacts/new/")
    page.fill("[name=name]", "Elif Yıldız")
    page.fill("[name=address]", "elif@terrace.example")
    yield "contacts-new"
    page.locator("main form [type=submit], main form button.button--primary").first.click()
    for name in ("contacts", "contacts/duplicates", "contacts/import"):
        page.goto(f"/{name}/")
        yield name
    for name in SETTINGS:
        page.goto(f"/settings/{name}")
        yield f"settings-{name}"
    page.goto(inbox)


def console(page: Page) -> Iterator[str]:
    """Show the console; the page is an operator's."""
    page.goto("/console/")
    yield "console"
    if page.locator(".opens-rail").is_visible():
        page.click(".opens-rail")
        yield "console-rail"
    for name in CONSOLE:
        page.goto(f"/console/{name}/")
        yield f"console-{name}"
        if "/" not in name and page.locator("a.console__name").count():
            page.goto(_href(page, "a.console__name"))
            yield f"console-{name}-one"
    page.goto("/console/domains/new/")
    page.click(".console__form button")
    yield "console-refused"
    page.goto("/console/captured/")
    if page.locator(".console__name").count():
        page.goto(_href(page, "a.console__name"))
        page.goto(_href(page, "a[href$='/source/']"))
        yield "console-captured-source"
    for name in ("trace", "trace/?q=nobody", "trace/?q=alice@crepes.test", "queue/?state=all"):
        page.goto(f"/console/{name}")
        yield f"console-{name}"
    page.goto("/console/trace/?q=dora@outside.example")
    page.goto(_href(page, ".event__link"))
    yield "console-story"
    page.goto("/console/domains/")
    page.goto(_href(page, "a.console__name"))
    page.click(".console__confirm > summary")
    yield "console-delete"


def _href(page: Page, selector: str, number: int = 0) -> str:
    return page.locator(selector).nth(number).get_attribute("href") or "/"
