"""Content security policies of page classes (CSP Level 3): constants, asserted as strings in tests.

No nonces: a 304 would bring a new nonce to a cached body. The import map is the only inline script
of an app page and is named by its hash. Bodies of mail have the policy of `mailcore.html`.
"""

from __future__ import annotations

from functools import cache

from webmail import importmap

PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
FILE = "default-src 'none'; sandbox"
# Chromium shows no PDF in a sandbox; its viewer has an origin of its own.
PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@cache
def app_page() -> str:
    """Return the policy of every page of the application."""
    return (
        f"default-src 'none'; script-src 'self' '{importmap.digest()}'; style-src 'self'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'; "
        "worker-src 'self'"
    )
