"""The style filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.html.css import MAX_SHEET, clean_sheets, clean_style
from tests.support.html_oracle import SHEET_DANGER, STYLE_DANGER


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color:red", "color:red"),
        ("COLOR : Red ; x:y", "color:Red"),
        ("color:red!important", "color:red!important"),
        ("margin:0 auto;padding:4px 8px", "margin:0 auto;padding:4px 8px"),
        ("width:calc(100% - 20px)", "width:calc(100% - 20px)"),
        ("font-family:'Segoe UI',Arial", 'font-family:"Segoe UI",Arial'),
        ("col\\6fr:red", "color:red"),
        ("color:rgba(0,0,0,.5)", "color:rgba(0,0,0,.5)"),
        ("background:#fff url(x)", ""),
        ("background:u\\72l(x)", ""),
        ("position:fixed", ""),
        ("margin:-1px", ""),
        ("margin:calc(0px - 1px)", ""),
        ("height:100%", ""),
        ("height:100vh", ""),
        ("width:5001px", ""),
        ("opacity:.01", ""),
        ("opacity:.5", "opacity:.5"),
        ("color:var(--x)", ""),
        ("--x:red", ""),
        ("font-family:'a\\3c b'", ""),
        ("color:red;}p{color:blue", "color:red"),
        ("", ""),
        ("color:red;" * 2000, ""),
    ],
)
def test_style_keeps_what_is_on_the_list(style: str, kept: str):
    assert clean_style(style) == kept


@pytest.mark.parametrize(
    ("sheet", "kept"),
    [
        ("p{color:red}", "p{color:red}"),
        ("p > .a:hover, #b{color:red}", "p > .a:hover, #b{color:red}"),
        ("@media only screen and (max-width:600px){.a{width:100%}}",) * 2,
        ("@media (prefers-color-scheme:dark){p{color:red}}", ""),
        ("@media all{@media all{p{color:red}}}", ""),
        ("@import 'x';p{color:red}", "p{color:red}"),
        ("a[href]{color:red}", ""),
        ("a::after{color:red}", ""),
        ("a:after{color:red}", ""),
        (":is(a){color:red}", ""),
        (".casilla-quote{color:red}", ""),
        (".\\63 asilla-quote{color:red}", ""),
        ("casilla-mail{color:red}", ""),
        ("<!-- p{color:red} -->", "p{color:red}"),
        (".\\3c x{color:red}", ""),
        ("p{}", ""),
    ],
)
def test_sheet_keeps_plain_rules(sheet: str, kept: str):
    assert clean_sheets([sheet]) == kept


def test_sheets_are_cut_at_their_limit():
    assert len(clean_sheets(["p{color:red}" * 20_000])) <= MAX_SHEET


@given(st.text(alphabet="p{}color:red;()[]'\"\\/*@<>!-url 0123", max_size=60))
def test_nothing_dangerous_survives(text: str):
    assert not STYLE_DANGER.search(clean_style(text))
    assert not SHEET_DANGER.search(clean_sheets([text]).replace('"', ""))


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing(text: str):
    once = clean_style(text)
    assert clean_style(once) == once
