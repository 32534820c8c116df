"""The import map: our ES modules under short names, hashed files behind them (django-js-asset).

Computed once a process: the names of static files do not change while it runs.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache

from js_asset import ImportMap

MODULES = (
    "compose",
    "compose_chips",
    "compose_files",
    "compose_link",
    "compose_people",
    "compose_rich",
    "conversation",
    "frames",
    "keys",
    "list",
    "live",
    "navigation",
    "notices",
    "palette",
    "search",
    "session",
    "toasts",
)
EDITOR = "django_prose_editor/editor.js"  # of the wheel; only rich text asks for it


@cache
def element() -> str:
    """Return the `<script type="importmap">` element."""
    imports = {f"app/{name}": f"js/{name}.js" for name in MODULES}
    return str(ImportMap({**imports, "django-prose-editor/editor": EDITOR}))


@cache
def digest() -> str:
    """Return the CSP source expression of the element's text, `sha256-...`."""
    text = element().removeprefix('<script type="importmap">').removesuffix("</script>")
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
