"""The sanitiser against hostile bodies; what ordinary mail keeps."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.html import limits
from mailcore.html.cleaner import clean_own
from mailcore.html.sanitize import sanitize
from mailcore.html.tokens import fill
from tests.support.hostile_html import HOSTILE, HostileHtml
from tests.support.html_oracle import findings, nodes, shape

PARTS = {"logo@x": "1.2", "image@x": "2"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


def show(html: str) -> str:
    return sanitize(html, parts=PARTS).html


@pytest.mark.parametrize("payload", HOSTILE, ids=lambda payload: payload.name)
def test_hostile_html_leaves_nothing_that_runs_or_loads(payload: HostileHtml):
    assert findings(show(payload.html)) == []


@pytest.mark.parametrize("payload", HOSTILE, ids=lambda payload: payload.name)
def test_output_is_stable_under_another_parse_and_cleaning(payload: HostileHtml):
    if len(payload.html) > 100_000:
        pytest.skip("too long to parse three times; its cost is tested elsewhere")
    shown = show(payload.html)
    fragment = shown.partition("</style>")[2] if shown.startswith("<style>") else shown
    assert shape(clean_own(fragment)) == shape(fragment)
    assert findings(show(shown)) == []


@pytest.mark.parametrize("payload", HOSTILE, ids=lambda payload: payload.name)
def test_with_images_every_source_still_leads_to_us(payload: HostileHtml):
    shown = sanitize(payload.html, parts=PARTS, image_mode="proxied")
    filled = fill(shown.html, lambda part: f"/u/{part}", lambda url: "/u/remote/token")
    sources = re.findall(r'<img(?: [^ ="<>]+="[^"<>]*")*? src="([^"]*)"', filled)
    assert all(source.startswith(("/u/", "data:image/")) for source in sources)
    assert findings(filled.replace("/u/remote/token", "cid:casilla-part-1")) == []


def test_a_message_cannot_name_a_token_of_ours():
    forged = "<img src='cid:casilla-remote-aHR0cDovL2EudGVzdC8'><img src='cid:casilla-part-9'>"
    assert "src=" not in sanitize(forged, parts=PARTS, image_mode="proxied").html


@pytest.mark.parametrize(
    ("image", "shown", "blocked"),
    [
        ("<img src='https://a.test/x.png'>", 1, 0),
        ("<img src='//a.test/x.png'>", 1, 0),
        ("<img src='https://a.test/x.png' width=1 height=1>", 0, 0),
        (f"<img src='https://a.test/{'x' * 3000}'>", 0, 1),
        ("<img src='https://a.test/x.png'>" * 301, 300, 1),
        ("<img src='/logout'><img src='logout'><img src='file:///x'>", 0, 0),
    ],
)
def test_remote_images_are_named_for_the_proxy_up_to_a_number(image, shown, blocked):
    found = sanitize(image, parts=PARTS, image_mode="proxied")
    assert found.html.count("casilla-remote-") == shown
    assert found.blocked_count == blocked


_PIECES = st.sampled_from([payload.html for payload in HOSTILE if len(payload.html) < 2000])


@given(st.lists(_PIECES | st.text(alphabet="<>/\"'=&;- \x00abc!", max_size=20), max_size=6))
def test_any_mixture_of_payloads_is_clean(pieces: list[str]):
    assert findings(show("".join(pieces))) == []


@given(st.text())
def test_any_text_is_accepted(text: str):
    assert findings(show(text)) == []


def test_image_of_the_message_becomes_a_token():
    shown = sanitize('<img src="cid:logo@x" alt="Logo">', parts=PARTS)
    assert 'src="cid:casilla-part-1.2"' in shown.html
    assert shown.blocked_count == 0


def test_percent_encoded_content_id_is_found():
    assert "casilla-part-1.2" in show('<img src="cid:logo%40x">')


@pytest.mark.parametrize("source", ["cid:other@x", "cid:casilla-part-1", "cid:", "cid:<logo@x>"])
def test_image_of_no_part_is_dropped(source: str):
    assert "src" not in show(f'<img src="{source}">')


def test_remote_images_are_dropped_and_counted():
    shown = sanitize(
        '<img src="https://a.example/x"><img src=//b.example/y><img src="cid:logo@x">'
        '<noscript><img src="https://c.example/z"></noscript>',
        parts=PARTS,
    )
    assert shown.blocked_count == 2
    assert "example" not in shown.html


def test_small_raster_data_image_stays():
    assert f'src="data:image/png;base64,{PNG}"' in show(f'<img src="data:image/png;base64,{PNG}">')


def test_data_image_that_is_no_image_is_dropped():
    html = base64.b64encode(b"<script>alert(1)</script>").decode()
    assert "src" not in show(f'<img src="data:image/png;base64,{html}">')


def test_links_open_apart_and_say_nothing_about_us():
    (link,) = (
        node
        for node in nodes(show('<a href="https://a.example/x?y=1&amp;z=2">x</a>'))
        if node.tag == "a"
    )
    assert link.attributes["target"] == "_blank"
    assert link.attributes["rel"] == "noopener noreferrer nofollow ugc"
    assert link.attributes["href"] == "https://a.example/x?y=1&z=2"


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://evil.example/">https://bank.example/login</a>',
        '<a href="https://evil.example/"><b>www.bank</b>.example</a>',
        '<a href="https://www.bank.example@evil.example/">www.bank.example</a>',
        '<a class="button" href="http:\\\\evil.example/x">bank.example</a>',
    ],
)
def test_link_that_names_another_host_is_marked_with_the_true_one(html: str):
    shown = show(html)
    assert 'class="casilla-link-differs"' in shown
    assert 'title="evil.example"' in shown


def test_link_to_an_imitated_name_is_marked():
    assert 'class="casilla-link-lookalike"' in show('<a href="https://xn--pple-43d.com/">Apple</a>')


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://www.bank.example/x">bank.example</a>',
        '<a href="https://bank.example/x">Your account</a>',
        '<a href="mailto:a@bank.example">a@other.example</a>',
    ],
)
def test_honest_link_is_not_marked(html: str):
    assert "casilla" not in show(html)


def test_message_cannot_use_our_class_names():
    shown = show('<p class="a casilla-text &#99;ASILLA-quote">x</p>')
    assert shown == '<p class="a">x</p>'


def test_style_of_the_body_is_kept():
    shown = show(
        '<html><body style="font-family:Arial;margin:0" bgcolor="#eee"><p>x</p></body></html>'
    )
    assert 'style="font-family:Arial;margin:0"' in shown
    assert 'bgcolor="#eee"' in shown


def test_style_sheets_stand_first():
    shown = show("<p>x</p><style><!-- p{color:red;background:url(x)} --></style>")
    assert shown.startswith("<style>p{color:red}</style>")


@pytest.mark.parametrize(
    ("html", "colour"),
    [
        ("<p>x</p>", "none"),
        ('<p style="margin:1px">x</p>', "none"),
        ('<p style="color:#000">x</p>', "grey"),
        ('<table bgcolor="white"><tr><td style="border:1px solid #ccc">x</table>', "grey"),
        ('<p style="color:#000!important">x</p>', "colour"),
        ('<font color="red">x</font>', "colour"),
        ("<style>p{background:rgb(0,100,200)}</style><p>x</p>", "colour"),
        ('<p style="background-color:transparent;color:inherit">x</p>', "none"),
    ],
)
def test_colour_tells_how_to_show_it_in_the_dark(html: str, colour: str):
    assert sanitize(html, parts={}).colour == colour


def test_body_over_a_limit_is_shown_as_text():
    shown = sanitize("<p>Hello <b>you</b></p>" + "<div>" * (limits.MAX_DEPTH + 1), parts={})
    assert shown.notice == "too_complex"
    assert "Hello you" in shown.html
    assert findings(shown.html) == []


def test_too_much_style_is_dropped_and_said():
    styles = (f"margin:{i % 50}px;padding:{i}px {i}px {i}px {i}px" for i in range(5900))
    rows = "".join(f'<p style="{style}">x</p>' for style in styles)
    assert sanitize(rows, parts={}).notice == "simplified"
