"""The frame's document and its policy."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from mailcore.html.document import FRAME_SCRIPT, FRAME_SCRIPT_HASH, assemble, body_csp


def test_policy_is_this_string():
    assert body_csp(host="https://mail.example.org") == (
        "default-src 'none'; img-src https://mail.example.org/u/ data:; style-src 'unsafe-inline'; "
        f"script-src '{FRAME_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; "
        "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox"
    )


@pytest.mark.parametrize("host", ["", "mail.example.org", "https://a; script-src *", "https://a/b"])
def test_only_an_origin_enters_the_policy(host: str):
    with pytest.raises(ValueError):
        body_csp(host=host)


def test_script_in_the_document_has_the_hash_of_the_policy():
    (script,) = re.findall(r"<script>(.*?)</script>", assemble(html="<p>x</p>"), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"sha256-{digest}" == FRAME_SCRIPT_HASH
    assert script == FRAME_SCRIPT


def test_theme_and_colour_are_attributes():
    html = assemble(html="x", colour="grey", theme="dark", language="es")
    assert '<html lang="es" data-theme="dark" data-colour="grey">' in html
