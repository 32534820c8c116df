"""Plain text as HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.html.quotes import OPEN
from mailcore.html.text import MAX_CHARS, render_text
from tests.support.hostile_html import HOSTILE_TEXT
from tests.support.html_oracle import findings, nodes


def body(text: str, **parameters: bool) -> str:
    html = render_text(text, **parameters).html
    return html.removeprefix('<div class="casilla-text">').removesuffix("</div>")


def links(text: str) -> list[str]:
    found = (node for node in nodes(render_text(text).html) if node.tag == "a")
    return [node.attributes["href"] or "" for node in found]


def words(html: str) -> str:
    return "".join(node.text_content or "" for node in nodes(html) if node.tag == "-text")


@pytest.mark.parametrize("text", HOSTILE_TEXT)
def test_hostile_text_stays_text(text: str):
    assert findings(render_text(text).html) == []


@given(st.text() | st.text(alphabet="<>\"'&;:/.@wht p>\n[]()a#", max_size=80))
def test_any_text_is_safe_and_complete(text: str):
    html = render_text(text).html
    assert findings(html) == []
    shown = [char for char in words(html) if char.isalnum()]
    assert shown == [char for char in text if char.isalnum()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://a.example/x?a=1&b=2.", ["https://a.example/x?a=1&b=2"]),
        ("(http://a.example/x)", ["http://a.example/x"]),
        ("http://a.example/x_(y)", ["http://a.example/x_(y)"]),
        ("<http://a.example/>", ["http://a.example/"]),
        ("www.a.example, ok", ["https://www.a.example"]),
        ("write to bob@a.example!", ["mailto:bob@a.example"]),
        ("javascript:alert(1)", []),
        ("http://", []),
        ("a.b.c", []),
    ],
)
def test_addresses_become_links(text: str, found: list[str]):
    assert links(text) == found


def test_one_quote_is_folded_with_its_levels():
    html = body("New\n\nOn Monday, Bob wrote:\n\n> a\n>> b\n> c")
    before, _, quote = html.partition(OPEN)
    assert "New" in before
    assert quote == "<blockquote>a<blockquote>b</blockquote>c</blockquote></details>"


@pytest.mark.parametrize("text", ["> a\nb\n> c\nd", "> a", "On Monday, Bob wrote:\n> a"])
def test_answers_between_quotes_and_mere_quotes_stay_open(text: str):
    assert OPEN not in body(text)


@pytest.mark.parametrize(
    ("text", "delsp", "shown"),
    [
        ("a \nb\nc", False, "a b\nc"),
        ("a \nb\nc", True, "ab\nc"),
        (" a\n  b", False, "a\n b"),
        ("x \n-- \ny", False, "x \n-- \ny"),
        ("> a \n> b\n>> c", False, "<blockquote>a b<blockquote>c</blockquote></blockquote>"),
    ],
)
def test_flowed_text_is_joined_as_rfc_3676_says(text: str, delsp: bool, shown: str):
    assert body(text, flowed=True, delsp=delsp) == shown


def test_long_text_is_cut_and_says_so():
    shown = render_text("x" * (MAX_CHARS + 1))
    assert shown.notice == "truncated"
    assert len(words(shown.html)) == MAX_CHARS


OUTLOOK = "De: Ana\nEnviado: lunes, 2 de noviembre\nPara: Bob\nAsunto: Plan\n\nviejo"


@pytest.mark.parametrize(
    "old",
    [
        OUTLOOK,
        "From: Ana\nSent: Monday\nTo: Bob\nSubject: Plan\n\nold",
        "-----Original Message-----\nold",
        "----- Mensaje original -----\nviejo",
    ],
)
def test_a_quote_of_outlook_without_marks_is_folded(old: str):
    shown = render_text(f"nuevo\n\n{old}").html
    before, opened, after = shown.partition("<details")
    assert "nuevo" in before
    assert opened
    assert "old" in after or "viejo" in after


@pytest.mark.parametrize(
    "text",
    [
        OUTLOOK,
        f"para ti\n\n---------- Forwarded message ---------\n{OUTLOOK}",
        "De: todo un poco\ny nada más",
        "From: a list\nof things",
    ],
)
def test_what_is_all_there_is_or_forwarded_stays_open(text: str):
    assert "<details" not in render_text(text).html
