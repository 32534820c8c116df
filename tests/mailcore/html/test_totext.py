"""Text of HTML for preview and search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.html.totext import to_text
from tests.support.hostile_html import HOSTILE


def text(html: str) -> str:
    return to_text(html, max_chars=1000)


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<p>Hello</p><p>you</p>", "Hello\nyou"),
        ("a<br>b<div>c</div>", "a\nb\nc"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("a &amp; b&nbsp;c &lt;d&gt;", "a & b c <d>"),
        ("<style>x</style><script>y</script><title>z</title>a", "a"),
        ("<img src=x alt='Logo'>a", "Logo a"),
        ("<b>a</b><i>b</i>", "ab"),
        ("a<!-- b -->c", "a c"),
        ("<p style='display:none'>a<br>b</p>c", "c"),
        ("<p style='line-height:0'>a</p>", "a"),
        ("<p title='hidden'>a</p>", "a"),
        ("a\u200b\u200c\u00ad\u034fb", "ab"),
        ("", ""),
    ],
)
def test_text_is_what_a_reader_sees(html: str, said: str):
    assert text(html) == said


@pytest.mark.parametrize("payload", [p for p in HOSTILE if p.klass == 31], ids=lambda p: p.name)
def test_hidden_words_do_not_reach_the_preview(payload):
    assert text(payload.html) == "shown"


def test_length_is_bounded():
    assert len(to_text("<p>word</p>" * 10_000, max_chars=300)) <= 300


@given(st.text() | st.text(alphabet="<>/=\"' abc!-&;#x1"))
def test_any_text_is_accepted(html: str):
    assert len(text(html)) <= 1000
