"""Hostile bodies in a real browser, in the frame and under the policy that the webmail uses.

Each payload is shown twice: sanitised, as the webmail does (some of a class in one document, as
each is a whole fragment by then), and raw, as if the sanitiser had let everything pass, because
the frame is the wall and the sanitiser only tidies. A page holds many frames at once, since a page
for each would take minutes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from typing import Any

import pytest

from mailcore.html.document import SANDBOX, assemble, body_csp
from mailcore.html.sanitize import sanitize
from mailcore.html.text import render_text
from mailcore.html.tokens import fill
from tests.support.hostile_html import HOSTILE, HOSTILE_TEXT
from tests.support.servers import find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(170)]

MAX_BODY = 60_000
GROUP = 100
BUNDLE = 8
WHOLE_CLASSES = (2, 3, 8, 20, 23, 24)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The browser asks these by itself, whatever it is told; no payload names them.
BROWSER_HOSTS = (".googleapis.com", ".google.com", ".gvt1.com")
PARENT = """<!doctype html><title>parent</title><h1>safe</h1>
<script>window.messages = []; addEventListener("message", (e) => {
  const frames = [...document.querySelectorAll("iframe")];
  messages.push({from: frames.findIndex((f) => f.contentWindow === e.source), data: e.data});
});</script>"""


@dataclass
class Site:
    """What the local server serves, and what it was asked for."""

    pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_body(self, path: str, html: str) -> None:
        self.pages[path] = (html, body_csp(host=self.origin))

    def add_parent(self, path: str, bodies: list[str]) -> None:
        frames = "".join(
            f'<iframe sandbox="{SANDBOX}" referrerpolicy="no-referrer" width="300" height="40" '
            f'src="{escape(body)}"></iframe>'
            for body in bodies
        )
        self.pages[path] = (PARENT + frames, "")


class Handler(BaseHTTPRequestHandler):
    """Serves the pages; every other address, or other host, is only written down."""

    def __init__(self, *args, site: Site) -> None:
        self.site = site
        super().__init__(*args)

    def do_GET(self) -> None:
        self.site.requests.append((self.headers.get("Host", ""), self.path))
        page = self.site.pages.get(self.path)
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if page and page[1]:
            self.send_header("Content-Security-Policy", page[1])
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cross-Origin-Resource-Policy", "same-origin")
            self.send_header("X-DNS-Prefetch-Control", "off")
        elif page:
            self.send_header("Set-Cookie", "session=secret")
        self.end_headers()
        self.wfile.write((page[0] if page else "").encode("utf-8", "replace"))

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, site=site))
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser(playwright, site: Site):
    rule = f"--host-resolver-rules=MAP * 127.0.0.1:{site.port}, EXCLUDE 127.0.0.1"
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*ARGUMENTS, rule])
    yield browser
    browser.close()


@dataclass
class Watch:
    """What a page did that a message must not make it do."""

    page: Any
    dialogs: list[str] = field(default_factory=list)
    popups: list[str] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)


@pytest.fixture
def watch(browser, site: Site) -> Iterator[Watch]:
    context = browser.new_context(viewport={"width": 1280, "height": 3000})
    page = context.new_page()
    watch = Watch(page)

    def dismiss(dialog) -> None:
        watch.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("popup", lambda popup: watch.popups.append(popup.url))
    page.on("download", lambda download: watch.downloads.append(download.url))
    site.requests.clear()
    yield watch
    context.close()


def fragment(html: str) -> str:
    return fill(sanitize(html, parts={"logo@x": "2"}).html, lambda part: f"/u/{part}")


def sanitised(html: str) -> str:
    return assemble(html=fragment(html))


def documents(shown_by_class: Iterator[list[str]], bundle: int) -> Iterator[str]:
    for shown in shown_by_class:
        for start in range(0, len(shown), bundle):
            yield assemble(html="<hr>".join(shown[start : start + bundle]))


def sanitised_by_class() -> Iterator[list[str]]:
    for _, group in groupby(_PAYLOADS, key=lambda payload: payload.klass):
        yield [fragment(payload.html) for payload in group]


def raw_by_class(*, whole: bool) -> Iterator[list[str]]:
    """Payloads that are whole elements may share a document, the others would swallow each other.

    Without the sanitiser a message can move its own frame (class 16 is about that), so it is not
    among them.
    """
    for klass, group in groupby(_PAYLOADS, key=lambda payload: payload.klass):
        if klass not in (16, 32) and (klass in WHOLE_CLASSES) == whole:
            yield [payload.html for payload in group]


_PAYLOADS = [payload for payload in HOSTILE if len(payload.html) < MAX_BODY]
_DOCUMENTS = {
    "sanitised": [
        *documents(sanitised_by_class(), BUNDLE),
        assemble(html="<hr>".join(render_text(text).html for text in HOSTILE_TEXT)),
    ],
    "raw": [
        *documents(raw_by_class(whole=True), BUNDLE),
        *documents(raw_by_class(whole=False), 1),
    ],
}


def groups(kind: str) -> list[list[str]]:
    every = _DOCUMENTS[kind]
    return [every[start : start + GROUP] for start in range(0, len(every), GROUP)]


def show(watch: Watch, site: Site, name: str, shown: list[str]) -> None:
    bodies = [f"/body/{name}/{number}" for number in range(len(shown))]
    for path, document in zip(bodies, shown, strict=True):
        site.add_body(path, document)
    site.add_parent(f"/parent/{name}", bodies)
    watch.page.goto(f"{site.origin}/parent/{name}", wait_until="load")
    watch.page.wait_for_timeout(300)


def assert_contained(watch: Watch, site: Site, name: str) -> None:
    assert watch.dialogs == []
    assert watch.popups == []
    assert watch.downloads == []
    assert watch.page.url == f"{site.origin}/parent/{name}"
    assert watch.page.evaluate("document.querySelector('h1').textContent") == "safe"
    assert "secret" in watch.page.evaluate("document.cookie")
    own = f"127.0.0.1:{site.port}"
    allowed = (f"/body/{name}/", f"/parent/{name}", "/u/", "/favicon.ico")
    asked = [request for request in site.requests if not request[0].endswith(BROWSER_HOSTS)]
    assert [r for r in asked if r[0] != own or not r[1].startswith(allowed)] == []


@pytest.mark.parametrize("number", range(len(groups("sanitised"))))
def test_sanitised_payloads_do_nothing_and_report_their_height(
    watch: Watch, site: Site, number: int
):
    group = groups("sanitised")[number]
    show(watch, site, f"sanitised{number}", group)
    # A frame out of sight reports late, so each is brought into view.
    for handle in watch.page.query_selector_all("iframe"):
        handle.scroll_into_view_if_needed()
    watch.page.wait_for_function(
        f"new Set(messages.map((m) => m.from)).size === {len(group)}", timeout=20_000
    )
    assert_contained(watch, site, f"sanitised{number}")
    messages = watch.page.evaluate("messages")
    assert {message["data"]["kind"] for message in messages} == {"size"}
    assert all(isinstance(message["data"]["height"], int) for message in messages)


@pytest.mark.parametrize("number", range(len(groups("raw"))))
def test_frame_and_policy_hold_even_without_the_sanitiser(watch: Watch, site: Site, number: int):
    show(watch, site, f"raw{number}", groups("raw")[number])
    assert_contained(watch, site, f"raw{number}")
    messages = watch.page.evaluate("messages.map((m) => m.data)")
    assert "pwned" not in messages


def test_the_watch_would_notice_without_frame_and_policy(watch: Watch, site: Site):
    site.pages["/open"] = ("<script>alert(1)</script><img src=http://canary.example/x>", "")
    watch.page.goto(f"{site.origin}/open", wait_until="load")
    assert watch.dialogs == ["1"]
    assert ("canary.example", "/x") in site.requests


PROBE = """() => {
  const result = {origin: self.origin};
  for (const [name, read] of Object.entries({
    cookie: () => document.cookie,
    storage: () => localStorage.length,
    parent: () => parent.document.title,
    top: () => { top.location = "about:blank"; return "moved"; },
  })) {
    try { result[name] = read(); } catch (error) { result[name] = error.name; }
  }
  return result;
}"""


def test_not_even_our_own_script_reaches_the_parent(watch: Watch, site: Site):
    show(watch, site, "probe", [sanitised("<p>x</p>")])
    frame = watch.page.frames[1]
    result = frame.evaluate(PROBE)
    assert result["origin"] == "null"
    assert result["cookie"] == "SecurityError"
    assert result["storage"] == "SecurityError"
    assert result["parent"] == "SecurityError"
    assert watch.page.url.endswith("/parent/probe")
    assert frame.evaluate("fetch('/parent/probe').catch((e) => e.name)") == "TypeError"


def test_opening_a_folded_quote_reports_a_new_height(watch: Watch, site: Site):
    quote = "<p>line</p>" * 30
    document = sanitised(f"<p>new</p><blockquote type=cite>{quote}</blockquote>")
    show(watch, site, "fold", [document])
    before = watch.page.evaluate("messages.at(-1).data.height")
    watch.page.frames[1].click("summary")
    watch.page.wait_for_function(f"messages.at(-1).data.height > {before} + 300", timeout=5000)
    watch.page.frames[1].click("summary")
    watch.page.wait_for_function(f"messages.at(-1).data.height === {before}", timeout=5000)
    assert watch.page.evaluate("messages.at(-1).data.height") == before


def test_keys_of_reading_pass_and_others_do_not(watch: Watch, site: Site):
    show(watch, site, "keys", [sanitised("<p>x</p>")])
    watch.page.frames[1].click("p")
    for key in ("j", "k", "Delete", "#", "Shift+Delete", "Control+Enter", "Control+k", "q", "I"):
        watch.page.keyboard.press(key)
    watch.page.wait_for_timeout(200)
    keys = watch.page.evaluate(
        "messages.filter((m) => m.data.kind === 'key').map((m) => m.data.key)"
    )
    assert keys == ["j", "k", "Delete", "#", "I"]


def test_wide_mail_reports_its_width(watch: Watch, site: Site):
    show(watch, site, "wide", [sanitised('<table width="900"><tr><td>x</table>')])
    assert watch.page.evaluate("messages.at(-1).data.width") >= 900


def test_link_opens_a_window_that_does_not_know_us(watch: Watch, site: Site):
    show(watch, site, "link", [sanitised('<a href="http://canary.example/x">x</a>')])
    with watch.page.expect_popup() as popup:
        watch.page.frames[1].click("a")
    popup.value.wait_for_load_state()
    assert popup.value.evaluate("opener") is None
    assert popup.value.evaluate("document.referrer") == ""


def test_document_is_whole_without_script(browser, site: Site):
    site.add_body("/body/plain", sanitised("<p>Hello</p><blockquote type=cite>old</blockquote>"))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.origin}/body/plain")
    assert page.inner_text("p") == "Hello"
    page.click("summary")
    assert page.is_visible("blockquote")
    context.close()
