"""What is folded, and what stays open because folding it would hide something new."""

from __future__ import annotations

import pytest

from mailcore.html.quotes import OPEN
from mailcore.html.sanitize import sanitize
from tests.support.html_oracle import findings

GMAIL = (
    '<div dir="ltr">New</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, Nov 2, '
    'Bob &lt;<a href="mailto:b@x.example">b@x.example</a>&gt; wrote:<br></div>'
    '<blockquote class="gmail_quote">OLD</blockquote></div>'
)
OLD_GMAIL = (
    "<div>New</div><div class=gmail_quote>On Mon, Nov 2, 2009, Bob wrote:<br>"
    "<blockquote class=gmail_quote>OLD</blockquote></div>"
)
APPLE = "<div>New<br><blockquote type='cite'><div>On 2 Nov, Bob wrote:</div>OLD</blockquote></div>"
THUNDERBIRD = (
    "<p>New</p><div class=moz-cite-prefix>El 2/11/26 a las 10:00, Bob escribió:<br></div>"
    "<blockquote type=cite cite='mid:x'>OLD</blockquote>"
)
YAHOO = "<div>New</div><div class='yahoo_quoted'><div>On Monday, Bob wrote:</div>OLD</div>"
OUTLOOK = (
    "<div class=WordSection1><p>New</p><div><div style='border-top:solid #E1E1E1 1.0pt'>"
    "<p><b>From:</b> Bob<br><b>Sent:</b> Monday<br><b>To:</b> Alice<br><b>Subject:</b> x</p>"
    "</div></div><p>OLD</p></div>"
)
OUTLOOK_ES = (
    "<div>New</div><hr><div id=divRplyFwdMsg><font><b>De:</b> Bob<br><b>Enviado:</b> lunes<br>"
    "<b>Para:</b> Alicia<br><b>Asunto:</b> x</font></div><div>OLD</div>"
)
BARE = "<div>New<br><br>On Mon, 2 Nov 2026, Bob wrote:<br>&gt; OLD<br></div>"
BARE_ES = "<p>New</p><p>El lunes, 2 de noviembre, Bob escribió:</p><p>OLD</p>"
ORIGINAL = "<p>New</p><p>-----Mensaje original-----</p><p>OLD</p>"


def show(html: str) -> str:
    return sanitize(html, parts={}).html


@pytest.mark.parametrize(
    "html",
    [
        GMAIL,
        OLD_GMAIL,
        APPLE,
        THUNDERBIRD,
        YAHOO,
        OUTLOOK,
        OUTLOOK_ES,
        BARE,
        BARE_ES,
        ORIGINAL,
    ],
)
def test_quoted_end_is_folded(html: str):
    before, fold, quote = show(html).partition(OPEN)
    assert fold
    assert "New" in before
    assert "wrote" not in before
    assert "escribi" not in before
    assert "OLD" in quote.partition("</details>")[0]
    assert findings(show(html)) == []


def test_quote_before_the_answer_is_folded_too():
    shown = show("<p>Hi,</p><blockquote type=cite>OLD</blockquote><p>New</p>")
    assert "New" in shown.partition("</details>")[2]


@pytest.mark.parametrize(
    "html",
    [
        "<p>no quote</p>",
        "<blockquote type=cite>OLD</blockquote>",
        "<blockquote>a poem</blockquote><p>x</p>",
        "<p>New</p><div class=gmail_quote>---------- Forwarded message ---------<br>OLD</div>",
        "<p>H</p><blockquote type=cite>a</blockquote><p>b</p><blockquote type=cite>c</blockquote>d",
        "<p>Hi</p><div class=gmail_quote><blockquote>a</blockquote><p>New</p></div>",
        "<p>From: me</p><p>x</p>",
        "<p>On Monday I wrote a letter.</p>",
    ],
)
def test_what_may_be_new_is_not_hidden(html: str):
    assert OPEN not in show(html)


def test_message_cannot_make_a_fold_of_ours():
    shown = show('<details class="casilla-quote"><summary>x</summary>y</details>')
    assert shown == "<details><summary>x</summary>y</details>"


def test_folding_twice_does_not_nest():
    assert show(show(GMAIL)).count("<details") == 1
