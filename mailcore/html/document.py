"""The complete document that the mail frame shows, and the policy it is served with.

CSP Level 3, HTML sandboxing. The frame has an opaque origin; the one script allowed in it is the
constant below, known to the policy by its hash. It tells the parent its size and the keys of
reading, moving and undoable actions, nothing else, and the document is whole without it. Messages
to the parent are `{kind: "size", height, width}` in CSS pixels and `{kind: "key", key}`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from typing import Literal

from mailcore.html.colour import Colour

Theme = Literal["light", "dark"]

# No Delete with Shift and no combination: what cannot be undone needs the focus in the app.
FORWARDED_KEYS = (*"c/?zjkxonpueslvmby[]#!rafgdi;:,.*IUO", "Escape", "Delete")

FRAME_SCRIPT = """\
"use strict";
(() => {
  const keys = new Set(%s);
  const mail = document.querySelector("casilla-mail");
  let height = -1;
  let width = -1;
  const tell = (message) => parent.postMessage(message, "*");
  const measure = () => {
    const box = mail.getBoundingClientRect();
    const newHeight = Math.ceil(Math.max(box.height, mail.scrollHeight));
    const newWidth = Math.ceil(Math.max(box.width, mail.scrollWidth));
    if (newHeight === height && newWidth === width) return;
    height = newHeight;
    width = newWidth;
    tell({ kind: "size", height, width });
  };
  addEventListener("keydown", (event) => {
    const plain = event.getModifierState("AltGraph")
      || !(event.ctrlKey || event.metaKey || event.altKey);
    if (!event.isTrusted || event.isComposing || !plain || !keys.has(event.key)) return;
    if (event.key === "Delete" && event.shiftKey) return;
    event.preventDefault();
    tell({ kind: "key", key: event.key });
  });
  // The page asks when its own script comes after this one.
  addEventListener("message", (event) => {
    if (event.source !== parent) return;
    height = -1;
    measure();
  });
  addEventListener("load", measure, true);
  addEventListener("toggle", measure, true);
  addEventListener("resize", measure);
  new ResizeObserver(measure).observe(mail);
  measure();
})();
""" % ("[" + ",".join(f'"{key}"' for key in FORWARDED_KEYS) + "]")

FRAME_SCRIPT_HASH = (
    "sha256-" + base64.b64encode(hashlib.sha256(FRAME_SCRIPT.encode()).digest()).decode()
)
SANDBOX = "allow-scripts allow-popups allow-popups-to-escape-sandbox"

_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?")

# `!important` holds here against the style attributes of the sender, which nothing else outranks.
FRAME_STYLE = """\
:root {
  color-scheme: light;
  --text: #1b1f24; --muted: #59636e; --line: #d9dde3; --accent: #1f5fd6; --warn: #8a5a00;
}
:root[data-theme=dark]:not([data-colour=colour]) {
  color-scheme: dark;
  --text: #e6e9ed; --muted: #9aa4b0; --line: #343b45; --accent: #7aa9ff; --warn: #f0b95b;
}
:root[data-theme=dark][data-colour=colour] { background: #f4f4f2; }
:root[data-theme=dark][data-colour=colour] casilla-mail { padding: 16px; }
html, body {
  margin: 0 !important; padding: 0 !important;
  height: auto !important; min-height: 0 !important;
}
body {
  color: var(--text);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
casilla-mail {
  display: flow-root !important; height: auto !important; overflow-wrap: break-word;
}
img { max-width: 100%; height: auto; }
a { color: var(--accent); }
pre { white-space: pre-wrap; }
blockquote { margin: 8px 0; padding: 0 0 0 12px; border-left: 2px solid var(--line); }
.casilla-text { max-width: 72ch; white-space: pre-wrap; line-height: 1.55; }
.casilla-quote > summary {
  display: inline-block; padding: 0 8px; cursor: pointer; line-height: 1.2;
  border: 1px solid var(--line); border-radius: 6px; color: var(--muted);
}
.casilla-link-differs::after, .casilla-link-lookalike::after {
  content: " [" attr(title) "]" !important; color: var(--warn) !important;
  font: 600 13px/1.4 system-ui, sans-serif !important;
}
:root[data-theme=dark][data-colour=grey] casilla-mail * {
  color: inherit !important; background-color: transparent !important;
  border-color: var(--line) !important;
}
:root[data-theme=dark][data-colour=grey] casilla-mail a { color: var(--accent) !important; }
.print-head { overflow-wrap: anywhere; }
@media screen {
  body:has(> .print-head) {
    max-width: 52rem; margin: 32px auto !important; padding: 0 16px !important;
  }
}
@media print {
  :root, :root[data-theme=dark] { color-scheme: light; --text: #000; }
  .casilla-quote:not([open]) > * { display: block; }
}
"""


def body_csp(*, host: str) -> str:
    """Return the Content-Security-Policy of the body route, a constant for each origin.

    `host` is the origin of the images of messages, such as 'https://mail.example.org'. Remote
    hosts never stand in it. Raises ValueError if it is not an origin.
    """
    if not _ORIGIN.fullmatch(host):
        raise ValueError(f"not an origin: {host!r}")
    return (
        f"default-src 'none'; img-src {host}/u/ data:; style-src 'unsafe-inline'; "
        f"script-src '{FRAME_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors 'self'; sandbox {SANDBOX}"
    )


def assemble(
    *, html: str, colour: Colour = "none", theme: Theme = "light", language: str = "en"
) -> str:
    """Return the document for a sanitised fragment whose tokens are already filled.

    `theme` comes from the request, since a frame does not see the app's choice. Coloured mail
    stands on paper in the dark theme, grey mail takes the theme's colours.
    """
    return (
        f'<!doctype html><html lang="{escape(language)}" data-theme="{escape(theme)}" '
        f'data-colour="{escape(colour)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Casilla</title><style>{FRAME_STYLE}</style></head>"
        f'<body><casilla-mail lang="">{html}</casilla-mail>'
        f"<script>{FRAME_SCRIPT}</script></body></html>"
    )
