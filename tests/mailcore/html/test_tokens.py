"""Tokens of image parts."""

from __future__ import annotations

import pytest

from mailcore.html.sanitize import sanitize
from mailcore.html.tokens import fill, parts_in, token_for

HTML = sanitize(
    '<img alt="a &gt; b" src="cid:a@x"><img src="cid:b@x"><img src="cid:a@x">'
    '<p title=\'src="cid:casilla-part-7"\'>&lt;img src="cid:casilla-part-7"&gt;</p>',
    parts={"a@x": "1.2", "b@x": "3"},
).html


def test_parts_are_named_once_in_order():
    assert set(parts_in(HTML)) == {"1.2", "3"}


def test_only_images_are_filled_and_addresses_are_escaped():
    filled = fill(HTML, lambda part: f'/u/{part}?a=1&b="')
    assert filled.count("/u/1.2?a=1&amp;b=&quot;") == 2
    assert filled.count("/u/3?") == 1
    assert "/u/7" not in filled
    assert filled.count("cid:casilla-part-7") == 2


@pytest.mark.parametrize("part", ["", "x", "1.", '1"', "1.2\n"])
def test_no_token_for_what_is_no_part(part: str):
    with pytest.raises(ValueError):
        token_for(part)
