"""The whole story on one running `manage.py serve`: by mouse, by keys, on a phone, without scripts.

alice writes to bob with a file, takes it back, sends it and sees it delivered; bob answers; alice
writes outside and sees it captured; an operator makes a domain and a mailbox, finds the mail by
trace and releases it. Afterwards a host outside has it and alice is told so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.ways import WAYS, Way
from tests.support.fake_mta import FakeMta
from tests.support.servers import free_port, wait_for_port
from tests.support.sources import ROOT, environment_variables

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
ALICE, BOB, OPERATOR = "alice@crepes.test", "bob@hamburger.test", "operator"
FILE = {"name": "menú.txt", "mimeType": "text/plain", "buffer": b"crepes, lemons\n"}


class Serve:
    """What runs: its address, its passwords, and the host outside."""

    def __init__(self, url: str, data: Path, outside: FakeMta) -> None:
        self.url = url
        self.outside = outside
        lines = (data / "demo-passwords.txt").read_text().splitlines()
        self.passwords = dict(line.split() for line in lines)


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, playwright) -> Iterator[Serve]:
    directory = tmp_path_factory.mktemp("story")
    ports = [free_port() for _ in range(4)]
    web, smtp, submission, submissions = (f"127.0.0.1:{port}" for port in ports)
    kept = {name: v for name, v in os.environ.items() if name not in environment_variables()}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    with FakeMta() as outside, (directory / "log").open("ab") as log:
        environment = kept | {
            "DATA_DIR": str(directory / "var"),
            "PUBLIC_URL": f"http://{web}",
            "WEB_LISTEN": web,
            "SMTP_LISTEN": smtp,
            "SUBMISSION_LISTEN": submission,
            "SUBMISSIONS_LISTEN": submissions,
            "SEND_UNDO": "4s",
            "SMTP_ROUTES": f"outside.example=127.0.0.1:{outside.port}",
            "OUTBOUND_ALLOW_NETWORKS": "127.0.0.0/8",
        }
        command = [sys.executable, "manage.py", "serve"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_for_port(ports[0], seconds=150)
            urllib.request.urlopen(f"http://{web}/readyz", timeout=90).close()
            yield Serve(f"http://{web}", directory / "var", outside)
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__.lower())
def way(request, serve: Serve, chromium: Browser) -> Iterator[Way]:
    """Give one way of using the pages, and at the end look whether a script or policy failed."""
    given: Way = request.param(chromium, serve.url)
    yield given
    given.close()
    assert given.errors == []


def test_mail_is_written_taken_back_sent_answered_captured_found_and_released(way, serve):
    name = type(way).__name__.lower()
    stranger = f"dora.{name}@outside.example"
    alice = way.person(ALICE, serve.passwords[ALICE])

    _write(way, alice, to=BOB, subject=f"Plan {name}")
    way.attach(alice, FILE)
    way.send(alice)
    way.undo(alice)
    expect(alice.locator(".compose__file")).to_contain_text("menú.txt")
    way.send(alice)
    _write(way, alice, to=stranger, subject=f"Outside {name}")
    way.send(alice)

    _tracking_says(way, alice, f"Plan {name}", "tracking--ok")
    _bob_answers(way, serve, f"Plan {name}")
    _tracking_says(way, alice, f"Outside {name}", "tracking--off")
    kept = way.words("Kept on this system", "Guardado en este sistema")
    expect(alice.locator(".tracking__summary")).to_have_text(kept)
    assert stranger not in serve.outside.recipients

    _operate(way, serve, name, stranger)

    _tracking_says(way, alice, f"Outside {name}", "tracking--ok")
    assert stranger in serve.outside.recipients
    way.open(alice, "inbox", f"Plan {name}")
    expect(alice.locator(".message[open]").last).to_contain_text("Bob Ortega")


def _write(way: Way, page: Page, *, to: str, subject: str) -> None:
    way.begin_message(page)
    way.fill(page, "[name=to]", to)
    way.fill(page, "[name=subject]", subject)
    way.fill(page, "[data-text]", "At noon, with the menu?")


def _tracking_says(way: Way, page: Page, subject: str, look: str) -> None:
    """Open a sent message; wait until its tracking looks so, without script by loading again."""
    way.open(page, "sent", subject)
    way.wait_for(page, f".{look}")


def _bob_answers(way: Way, serve: Serve, subject: str) -> None:
    bob = way.person(BOB, serve.passwords[BOB])
    way.open(bob, "inbox", subject)
    expect(bob.locator(".attachment__name")).to_have_text("menú.txt")
    way.answer(bob)
    way.fill(bob, "[data-text]", "Yes. Bob")
    way.send(bob)
    way.leave(bob)


def _operate(way: Way, serve: Serve, name: str, stranger: str) -> None:
    page = way.person(OPERATOR, serve.passwords[OPERATOR], to="/console/")
    way.go(page, "/console/domains/")
    way.press(page, "a[href='/console/domains/new/']")
    way.fill(page, "#id_name", f"{name}.test")
    way.press(page, ".console__form button.button--primary")
    expect(page.locator(".banner--ok")).to_contain_text(f"{name}.test")
    way.press(page, "a[href^='/console/mailboxes/new/']")
    way.fill(page, "#id_address", f"eva@{name}.test")
    way.press(page, ".console__form button.button--primary")
    expect(page.locator("output")).not_to_be_empty()

    way.go(page, "/console/trace/")
    way.fill(page, "#q", ALICE)
    way.press(page, ".console__search button")
    way.press(page, f".event__link:has-text('{stranger}') >> nth=0")
    expect(page.locator(".events")).to_contain_text(ALICE)
    way.go(page, "/console/captured/")
    way.press(page, f"tr:has-text('{stranger}') .console__name")
    way.press(page, "button[value=send]")
    expect(page.locator(".banner--ok")).to_contain_text("1")
    way.leave(page)
