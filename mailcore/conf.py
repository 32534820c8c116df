"""Typed access to the settings that the mail system reads; lazy, so that tests may override.

Sizes in octets, durations as timedelta. Holds no defaults: those stand in the settings module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Smarthost:
    """Names and ports in order, a login ('' is none) and `none`, `starttls` or `implicit`."""

    hosts: tuple[tuple[str, int], ...]
    user: str
    password: str
    tls: str


def hostname() -> str:
    """Return the name that we use in banners, Received fields and Message-IDs."""
    return settings.CASILLA_HOSTNAME


def keys() -> Mapping[str, str]:
    """Return the secret keys by the name of the file in which we keep one that we made."""
    return {"secret_key": settings.SECRET_KEY, "secrets_key": settings.SECRETS_KEY}


def public_url() -> str:
    """Return the address of the web pages, without a slash at its end."""
    return settings.PUBLIC_URL


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


def retry_schedule() -> tuple[timedelta, ...]:
    """Return the waits between tries; the last one repeats (RFC 5321, 4.5.4.1)."""
    return settings.RETRY_SCHEDULE


def delay_dsn_after() -> timedelta:
    """Return after how long a sender learns that a message still waits (RFC 3464, 2.3.3)."""
    return settings.DELAY_DSN_AFTER


def outbound_mode() -> str:
    """Return `direct`, `smarthost` or `capture`: whether and how mail leaves."""
    return settings.OUTBOUND_MODE


def outbound_port() -> int:
    """Return the port of other mail hosts; 25 except in tests."""
    return settings.OUTBOUND_PORT


def outbound_allow_networks() -> Networks:
    """Return the networks that we connect to though they are not global."""
    return settings.OUTBOUND_ALLOW_NETWORKS


def dns_servers() -> tuple[tuple[str, int], ...]:
    """Return address and port of the resolvers to ask; none means those of the system."""
    return tuple((server.host, server.port) for server in settings.DNS_SERVERS)


def smtp_routes() -> Mapping[str, tuple[tuple[str, int], ...]]:
    """Return the hosts and ports that take a domain's mail instead of its MX; `*` is any."""
    return settings.SMTP_ROUTES


def smarthost() -> Smarthost:
    """Return the one host that takes all outgoing mail in the mode `smarthost`."""
    return Smarthost(
        hosts=settings.SMARTHOST,
        user=settings.SMARTHOST_USER,
        password=settings.SMARTHOST_PASSWORD,
        tls=settings.SMARTHOST_TLS,
    )


def dispatcher() -> Callable[[], None]:
    """Return what wakes the runner after a commit that enqueued. Raises ImportError."""
    wake: Callable[[], None] = import_string(settings.QUEUE_DISPATCHER)
    return wake


def redis_url() -> str:
    """Return where Redis is, '' in an installation without it."""
    return settings.REDIS_URL


def sender_domain_check() -> bool:
    """Return whether MAIL FROM of port 25 must have a domain that takes mail."""
    return settings.SENDER_DOMAIN_CHECK


def auth_plaintext_networks() -> Networks:
    """Return the networks from which AUTH is taken without TLS; for tests."""
    return settings.AUTH_PLAINTEXT_NETWORKS


def submission_listeners() -> tuple[tuple[str, int], ...]:
    """Return host and port of every submission socket with STARTTLS (RFC 6409)."""
    return tuple((listener.host, listener.port) for listener in settings.SUBMISSION_LISTEN)


def submissions_listeners() -> tuple[tuple[str, int], ...]:
    """Return host and port of every submission socket with implicit TLS (RFC 8314)."""
    return tuple((listener.host, listener.port) for listener in settings.SUBMISSIONS_LISTEN)


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


def smtp_processes() -> int:
    """Return how many processes take mail on the same ports."""
    return settings.SMTP_PROCESSES


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
