"""What is too much, what is not, and that nobody can talk the scan out of it."""

from __future__ import annotations

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.html.limits import MAX_ATTRIBUTES, MAX_CHARS, MAX_TAGS, scan, strip_opaque, too_long

FONTS = "".join(f"<font color=#{number:06x}>" for number in range(300))


def judge(html: str) -> str:
    verdict = too_long(html) or scan(strip_opaque(html).html)
    return verdict.reason if verdict else ""


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("x" * (MAX_CHARS + 1), "characters"),
        ("<" * 400_000, "escape"),
        ("<p>" * (MAX_TAGS + 1), "tags"),
        ("<div>" * 401, "levels"),
        ("<div></x>" * 401, "levels"),
        ("<b><i>" * 201, "levels"),
        ("<p " + "a " * (MAX_ATTRIBUTES + 1) + ">", "attributes"),
        ("<p " + "a='>' " * (MAX_ATTRIBUTES + 1) + ">", "attributes"),
        (f"<p>{FONTS}x</p>" + "<p>x" * 3000, "copies"),
        (f"<p>{FONTS}x</p><!--{'</font>' * 300}-->" + "<p>x" * 3000, "copies"),
        (f"<p>{FONTS}x</p><title>{'</font>' * 300}</title>" + "<p>x" * 3000, "copies"),
        (f"<p>{FONTS}x</p><p title='{'</font>' * 300}'>" + "<p>x" * 3000, "copies"),
        (f"<p>{FONTS}x</p><svg><style><!--</style>{'</font>' * 300}" + "<p>x" * 3000, ""),
        (f"<p>{FONTS}x</p><table><td>{'</font>' * 300}</table>" + "<p>x" * 3000, "copies"),
        (f"<table><table></table><td><p>{FONTS}</td>" + "<p>x" * 3000, "copies"),
        (f"<p>{FONTS}x</p><? {'</font ' * 300}>" + "<p>x" * 3000, "copies"),
    ],
)
def test_too_much_is_refused_for_its_reason(html: str, reason: str):
    assert reason in judge(html)
    assert bool(reason) == bool(judge(html))


@pytest.mark.parametrize(
    "html",
    [
        "<p>x" * 10_000,
        "<table>" + "<tr><td><font size=2>x" * 3000 + "</table>",
        "<font face=Arial>" + "<p>x</p>" * 5500 + "</font>",
        "<ul>" + "<li><b>x</b> y" * 3500 + "</ul>",
        "<table><tr><td>" * 60 + "x" + "</td></tr></table>" * 60,
        "<p " + " ".join(f"a{i}=1" for i in range(MAX_ATTRIBUTES)) + ">x</p>",
    ],
)
def test_ordinary_mail_passes(html: str):
    assert judge(html) == ""


@given(
    st.lists(
        st.sampled_from(
            "<p> </p> <b> </b> <font> </font> <i> </i> <td> </td> <tr> <table> </table> <caption> "
            "<div> </div> <a> </a> <!-- --> <svg> </svg> <title> </title> <li> <style> </style> "
            "<select> </select> x <br> <span> </span> <object> </object> <u> <button> </p>".split()
        ),
        max_size=40,
    )
)
def test_formatting_elements_never_outnumber_what_was_counted(pieces: list[str]):
    html = strip_opaque("".join(pieces)).html
    written = nh3.clean(
        html, tags={"p", "b", "font", "i", "u", "a", "td", "tr", "table", "div"}, attributes={}
    )
    starts = html.count("<b>") + html.count("<font>") + html.count("<i>") + html.count("<u>")
    made = sum(written.count(tag) for tag in ("<b>", "<font>", "<i>", "<u>"))
    # Each later start or end tag can copy each open one once.
    assert made <= starts * (1 + html.count("<"))


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("a<!-- b -->c", "a c"),
        ("a<!-->b", "a b"),
        ("a<!--->b", "a b"),
        ("a<!-- b --!>c", "a c"),
        ("a<!-- b", "a "),
        ("a<![CDATA[b]]>c", "a c"),
        ("a<script>b</script >c", "a c"),
        ("a<SCRIPT>b</sCript/x>c", "a c"),
        ("a<scriptx>b</scriptx>c", "a<scriptx>b</scriptx>c"),
        ("<scr<!-- -->ipt>", "<scr ipt>"),
        ("a</ b>c", "a c"),
    ],
)
def test_opaque_parts_leave_a_space(html: str, kept: str):
    assert strip_opaque(html).html == kept


def test_sheets_are_kept_in_order():
    assert strip_opaque("<style>a</style>x<STYLE>b</STYLE>").sheets == ("a", "b")
