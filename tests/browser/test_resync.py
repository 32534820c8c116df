"""Two browsers and deliveries change a list at random; what live updates leave is a fresh page."""

from __future__ import annotations

from random import Random

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NewContext, sign_in
from tests.browser.test_live import arrive, built, inbox, url
from tests.support.people import Person

__all__ = ["built", "inbox", "url"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SEED = 20261121
STEPS = 24
LOOKS, LOOK_MS = 20, 400
VERBS = ("archive", "trash", "star", "read")  # the last two or their opposites

# What a row says, here and on the page that the server gives now.
SAME = """async () => {
  const said = (root) => [...root.querySelectorAll("[data-row]")].map((row) =>
    [row.id, row.classList.contains("row--unread"), row.querySelector(".row__link").textContent]);
  const list = document.getElementById("list");
  const page = await (await fetch(list.dataset.list, { cache: "no-store" })).text();
  const fresh = new DOMParser().parseFromString(page, "text/html");
  const count = (root) => root.querySelector("[data-role=inbox] .rail__count")?.textContent ?? "";
  return JSON.stringify(said(document)) === JSON.stringify(said(fresh))
    && count(document) === count(fresh);
}"""
PRESS = """([at, verb]) => {
  const rows = document.querySelectorAll("[data-row]");
  rows[at % rows.length]?.querySelector(`.row__actions [name$="${verb}"]`)?.click();
}"""


def test_after_random_changes_the_list_is_that_of_a_fresh_page(
    inbox: Page, context: NewContext, url: str, alice: Person
) -> None:
    other = context(base_url=url).new_page()
    sign_in(other, alice)
    other.wait_for_timeout(500)
    chance = Random(SEED)
    for number in range(STEPS):
        if chance.random() < 0.3:
            arrive(alice, f"Fresh {number}")
        else:
            page = chance.choice((inbox, other))
            page.evaluate(PRESS, [chance.randrange(30), chance.choice(VERBS)])
        inbox.wait_for_timeout(chance.choice((0, 30, 250)))
    arrive(alice, "Last")  # nobody's own action shows it
    for page in (inbox, other):
        assert any(_is_fresh(page) for _ in range(LOOKS))
        assert page.locator("[data-row]").count() > 0


def _is_fresh(page: Page) -> bool:
    page.wait_for_timeout(LOOK_MS)
    return bool(page.evaluate(SAME))
