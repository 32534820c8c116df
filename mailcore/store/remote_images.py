"""Remote images by way of us: fetched, drawn anew, kept a week (webmail design, c 7).

The sender's server sees our address and one request a week, never the reader's browser. What was
fetched is drawn again in a child process before anybody sees it; a picture that cannot be had is
remembered for ten minutes. Who may ask, and how often, is the caller's to decide.
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import logging
import threading
from datetime import datetime, timedelta

from django.db.models import Sum

from mailcore import conf
from mailcore.dns.resolver import DnsResolver
from mailcore.fetch.get import Resolve, Rules, get
from mailcore.fetch.target import FetchFailed
from mailcore.models.remote import RemoteImage
from mailcore.store.sandbox import PICTURE_MEMORY_BYTES, Failed, Picture, Sandbox

log = logging.getLogger("mailcore.store")

KEPT = timedelta(days=7)
FAILURE_KEPT = timedelta(minutes=10)
CACHE_BYTES = 512 * 2**20
CACHE_COUNT = 50_000
DELETED_AT_ONCE = 500
FETCHES_AT_ONCE = 8  # in a process; each holds a thread of the web server for seconds
WAIT_S = 10.0
SNIFFED = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")

_sandbox = Sandbox(memory_bytes=PICTURE_MEMORY_BYTES)
_slots = threading.BoundedSemaphore(FETCHES_AT_ONCE)
atexit.register(_sandbox.close)


def remote_image(
    *, url: str, now: datetime, rules: Rules | None = None, resolve: Resolve | None = None
) -> Picture | None:
    """Return the picture at `url`, None when it cannot be had. Takes up to 25 seconds."""
    key = hashlib.sha256(url.encode("utf-8", "replace")).digest()
    known = RemoteImage.objects.filter(key=key, fetched_at__gt=now - KEPT).first()
    if known is not None and (known.size or known.fetched_at > now - FAILURE_KEPT):
        return Picture(known.content_type, bytes(known.data)) if known.size else None
    if not _slots.acquire(timeout=WAIT_S):
        return None
    try:
        picture = _fetched(url, rules, resolve)
    finally:
        _slots.release()
    _remember(key, picture, now=now)
    return picture


def redrawn(octets: bytes, *, small: bool = False) -> Picture | None:
    """Return a picture drawn anew in the child process, `small` for a preview; None if it is none.

    For attachments too: no picture is decoded in the web process (guarantees, MIME bombs).
    """
    if not octets.startswith(SNIFFED):
        return None
    picture = _sandbox.picture(octets, small=small, wait_s=WAIT_S)
    if isinstance(picture, Failed):
        log.info("image.not_drawn", extra={"fields": {"reason": picture.reason}})
        return None
    return picture


def sweep(*, now: datetime) -> int:
    """Delete pictures that are too old; return how many."""
    return RemoteImage.objects.filter(fetched_at__lte=now - KEPT).delete()[0] + _shrink()


def _fetched(url: str, rules: Rules | None, resolve: Resolve | None) -> Picture | None:
    ask = (
        resolve
        or DnsResolver(
            servers=conf.dns_servers(), query_timeout_s=2.0, lookup_timeout_s=4.0
        ).addresses
    )
    try:
        octets = asyncio.run(get(url, resolve=ask, rules=rules))
    except FetchFailed as failed:
        log.info("image.not_fetched", extra={"fields": {"reason": failed.reason}})
        return None
    return redrawn(octets)


def _remember(key: bytes, picture: Picture | None, *, now: datetime) -> None:
    row = RemoteImage(
        key=key,
        content_type=picture.content_type if picture else "",
        size=len(picture.octets) if picture else 0,
        data=picture.octets if picture else b"",
        fetched_at=now,
    )
    RemoteImage.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["content_type", "size", "data", "fetched_at"],
    )
    _shrink()


def _shrink() -> int:
    """Delete the oldest pictures until the rest fits; return how many."""
    deleted = 0
    while _is_too_much():
        oldest = RemoteImage.objects.order_by("fetched_at").values_list("pk", flat=True)
        deleted += RemoteImage.objects.filter(pk__in=list(oldest[:DELETED_AT_ONCE])).delete()[0]
    return deleted


def _is_too_much() -> bool:
    total = RemoteImage.objects.aggregate(bytes=Sum("size"))["bytes"] or 0
    return total > CACHE_BYTES or RemoteImage.objects.count() > CACHE_COUNT
