"""Typed access to the settings that the mail system reads; lazy, so that tests may override.

Sizes in octets, durations as timedelta. Holds no defaults: those stand in the settings module.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from django.conf import settings

Networks = tuple[IPv4Network | IPv6Network, ...]


def hostname() -> str:
    """Return the name that we use in banners, Received fields and Message-IDs."""
    return settings.CASILLA_HOSTNAME


def data_dir() -> Path:
    """Return the directory of blobs, spool files and generated keys."""
    return settings.DATA_DIR


def message_size_limit() -> int:
    """Return the largest message in octets (RFC 1870)."""
    return settings.MESSAGE_SIZE_LIMIT


def blob_inline_max() -> int:
    """Return up to how many octets a blob stays in its row."""
    return settings.BLOB_INLINE_MAX


def detail_separator() -> str:
    """Return what separates the user part of a local part from its detail (RFC 5233)."""
    return settings.DETAIL_SEPARATOR


def received_limit() -> int:
    """Return how many Received fields make a loop (RFC 5321, 6.3)."""
    return settings.RECEIVED_LIMIT


def disk_free_min() -> int:
    """Return the free octets below which no mail is taken."""
    return settings.DISK_FREE_MIN


def queue_lifetime() -> timedelta:
    """Return how long a message may wait in the queue (RFC 5321, 4.5.4.1)."""
    return settings.QUEUE_LIFETIME


def limits_exempt_networks() -> Networks:
    """Return the networks whose clients are not counted."""
    return settings.LIMITS_EXEMPT_NETWORKS


def trusted_proxies() -> Networks:
    """Return the networks that may tell us a client's address."""
    return settings.TRUSTED_PROXIES


def smtp_limits() -> Mapping[str, Any]:
    """Return the numbers of the SMTP server by name: counts, octets, timedeltas."""
    limits: Mapping[str, Any] = settings.SMTP_LIMITS
    return limits


def smtp_listeners() -> tuple[tuple[str, int], ...]:
    """Return host and port of every socket that takes mail."""
    return tuple((listener.host, listener.port) for listener in settings.SMTP_LISTEN)


def tls_files() -> tuple[Path, Path] | None:
    """Return the certificate and key files of the operator, or None when there are none."""
    if not settings.TLS_CERT:
        return None
    return Path(settings.TLS_CERT), Path(settings.TLS_KEY or settings.TLS_CERT)


def auth_failures_per_minute() -> int:
    """Return how many failed sign-ins an account or address may have in a minute."""
    return settings.AUTH_FAILURES_PER_MINUTE


def auth_failures_per_day() -> int:
    """Return how many failed sign-ins an account or address may have in a day (UTC)."""
    return settings.AUTH_FAILURES_PER_DAY


def auth_delay() -> timedelta:
    """Return how long the first refusal of a sign-in is held back."""
    return settings.AUTH_DELAY
