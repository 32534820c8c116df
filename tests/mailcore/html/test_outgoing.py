"""HTML that our people send: nothing active or remote leaves, and the text twin reads well."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.html import outgoing


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>x</p>",
        "<img src=x onerror=alert(1)>",
        '<img src="https://tracker.test/p.gif">',
        '<img src="//tracker.test/p.gif">',
        '<img src="/u/token/">',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<a href="cid:file">x</a>',
        "<style>p{background:url(https://tracker.test)}</style>",
        '<p style="background:url(https://tracker.test)">x</p>',
        '<svg><a xlink:href="javascript:x">x</a></svg>',
        "<form action=https://evil.test><input name=p></form>",
        "<iframe src=https://evil.test></iframe>",
        '<p class="casilla-quote" id="reading">x</p>',
        "<math><mi><style><img src=x onerror=alert(1)></style></mi></math>",
    ],
)
def test_nothing_active_or_remote_leaves(hostile):
    cleaned = outgoing.clean(f"<p>before</p>{hostile}<p>after</p>")
    for token in (
        "script",
        "onerror",
        "onclick",
        "tracker",
        "evil",
        "style",
        "class",
        "id=",
        "cid",
    ):
        assert token not in cleaned
    assert "<p>before</p>" in cleaned
    assert "<p>after</p>" in cleaned


@given(st.text(alphabet="<>/=\"' abcimgsrphefonjvt:;&#x0\n", max_size=300))
def test_cleaning_twice_changes_nothing_and_text_never_raises(html):
    cleaned = outgoing.clean(html)
    assert outgoing.clean(cleaned) == cleaned
    outgoing.to_plain(cleaned)


def test_among_images_of_the_draft_nothing_relative_leaves():
    html = '<a href="/mail/">x</a><a href="x">y</a><a title="<img>" href="https://a.test/">z</a>'
    cleaned = outgoing.clean(f"{html}<img src=x alt=y>", images={"/files/1/": "logo@casilla"})
    assert cleaned == '<a>x</a><a>y</a><a href="https://a.test/">z</a>'


def test_images_of_the_draft_are_named_by_content_id():
    html = '<p><img src="/files/1/" alt="Logo"><img src="/files/2/"></p>'
    cleaned = outgoing.clean(html, images={"/files/1/": "logo@casilla"})
    assert cleaned == '<p><img src="cid:logo@casilla" alt="Logo"></p>'
    assert outgoing.content_ids(cleaned) == {"logo@casilla"}


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<p>a</p><ul><li><p>one</p></li><li>two</li></ul><p>b</p>", "a\n\n- one\n- two\n\nb"),
        ('<ol start="3"><li>c</li><li>d</li></ol>', "3. c\n4. d"),
        ("<ul><li>a<ul><li>b</li></ul></li></ul>", "- a\n  - b"),
        ("<blockquote><p>q</p><p>r</p></blockquote><p>me</p>", "> q\n>\n> r\n\nme"),
        ("<blockquote><blockquote>q</blockquote></blockquote>", ">> q"),
        ('<a href="https://x.test/">here</a>', "here <https://x.test/>"),
        ('<a href="https://x.test/">https://x.test</a>', "https://x.test"),
        ('<a href="mailto:a@x.test">a@x.test</a>', "a@x.test"),
        ("<pre>  a\n   b</pre>", "  a\n   b"),
        ("<h1>Title</h1><p>a &lt; b</p>", "Title\n\na < b"),
        ("<p>a</p><hr><p>b</p>", f"a\n\n{'-' * 40}\n\nb"),
        ("<p>  many \n blanks </p>", "many blanks"),
        ('<img src="cid:a" alt="Logo">', "[Logo]"),
    ],
)
def test_the_text_twin_reads_well(html, text):
    assert outgoing.to_plain(outgoing.clean(html, images={"/": "a"})) == text


@pytest.mark.parametrize(
    ("html", "is_blank"),
    [("", True), ("<p></p>", True), ("<p><br></p>", True), ("<p>a</p>", False), ("<hr>", False)],
)
def test_what_shows_nothing_is_blank(html, is_blank):
    assert outgoing.is_blank(html) is is_blank
