"""Links: what may be followed, and whether the text tells the truth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.html.links import clean_href, host_in_text, is_lookalike, suspicion


@pytest.mark.parametrize(
    ("value", "href"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("HTTP://a.example", "http://a.example"),
        (" \x01https://a.example", "https://a.example"),
        ("https://u:p@a.example/x@y", "https://a.example/x@y"),
        ("https://a.example?x=u@b", "https://a.example?x=u@b"),
        ("http:\\\\a.example\\b", "http://a.example/b"),
        ("tel:+34600", "tel:+34600"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("mailto:a@b.example?subject=x%20y&bcc=c@d", "mailto:a@b.example?subject=x%20y"),
        ("java\u200bscript:alert(1)", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("cid:x@y", None),
        ("//a.example", None),
        ("/x", None),
        ("#x", None),
        ("http:a.example", None),
        ("https://", None),
        ("", None),
        ("https://a.example/" + "x" * 5000, None),
    ],
)
def test_href_is_cleaned_or_dropped(value: str, href: str | None):
    assert clean_href(value) == href


@given(st.text())
def test_cleaning_twice_changes_nothing(value: str):
    once = clean_href(value)
    assert once is None or clean_href(once) == once


@pytest.mark.parametrize(
    ("text", "href", "wrong"),
    [
        ("a.example", "https://a.example/", ""),
        ("www.a.example", "https://a.example/", ""),
        ("shop.a.example", "https://a.example/", ""),
        ("Click here", "https://b.example/", ""),
        ("a.example", "https://b.example/", "differs"),
        ("https://a.example/login?x", "https://b.example/", "differs"),
        ("a.example.", "https://a.example.b.example/", "differs"),
        ("x", "https://xn--pple-43d.com/", "lookalike"),
        ("x", "https://españa.es/", ""),
        ("x", "https://пример.рф/", ""),
        ("file.txt", "mailto:a@b.example", ""),
        ("x", "https://[bad/", ""),
    ],
)
def test_text_is_compared_with_the_host(text: str, href: str, wrong: str):
    assert suspicion(text=text, href=href) == wrong


@pytest.mark.parametrize(
    ("host", "result"),
    [("apple.com", False), ("аpple.com", True), ("аррӏе.com", True), ("日本.jp", False)],
)
def test_mixed_scripts_are_seen(host: str, result: bool):
    assert is_lookalike(host) is result


@given(st.text(), st.text())
def test_any_link_can_be_judged(text: str, href: str):
    assert suspicion(text=text, href=f"https://{href}") in ("", "differs", "lookalike")
    assert " " not in host_in_text(text)
