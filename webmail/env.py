"""How values are written in the environment: durations, sizes, listeners, networks, secrets.

Parses strings only; `settings.py` alone reads the environment. docs/env.md lists every variable.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DURATIONS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True, slots=True)
class Listener:
    """A host (an IP address, no brackets) and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def duration(text: str) -> timedelta:
    """Return the timedelta of `10s`, `5m`, `2h` or `5d`. Raises ImproperlyConfigured."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if unit not in _DURATIONS or not number.isdigit():
        raise ImproperlyConfigured(f"not a duration such as 10s, 5m, 2h, 5d: {text!r}")
    return timedelta(seconds=int(number) * _DURATIONS[unit])


def size(text: str) -> int:
    """Return the octets of `64K`, `1G` (binary) or a plain number. Raises ImproperlyConfigured."""
    cleaned = text.strip().upper()
    number = cleaned.rstrip("KMGT")
    unit = cleaned[len(number) :]
    if unit not in _SIZES or not number.isdigit():
        raise ImproperlyConfigured(f"not a size such as 64K or 1G: {text!r}")
    return int(number) * _SIZES[unit]


def listeners(text: str) -> tuple[Listener, ...]:
    """Return the listeners of `host:port,[::1]:port`. Raises ImproperlyConfigured."""
    return tuple(_listener(item.strip()) for item in text.split(",") if item.strip())


def web_address(listening: Sequence[Listener]) -> str:
    """Return where a browser on this machine finds the first of `listening`, as a URL."""
    first = next(iter(listening), Listener(host="", port=8000))
    host = "127.0.0.1" if first.host in {"", "0.0.0.0", "::"} else first.host  # noqa: S104
    return f"http://[{host}]:{first.port}" if ":" in host else f"http://{host}:{first.port}"


def _listener(item: str) -> Listener:
    host, colon, port = item.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isdigit() or (":" in host and not bracketed):
        raise ImproperlyConfigured(f"not host:port or [IPv6]:port: {item!r}")
    return Listener(host=host.strip("[]"), port=int(port))


def durations(text: str) -> tuple[timedelta, ...]:
    """Return the timedeltas of `5m,15m,1h`; at least one. Raises ImproperlyConfigured."""
    return tuple(duration(item) for item in text.split(","))


def hosts(text: str) -> tuple[tuple[str, int], ...]:
    """Return names and ports of `mx.example:25,[::1]:2525`. Raises ImproperlyConfigured."""
    return tuple((item.host, item.port) for item in listeners(text))


def routes(text: str) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return hosts by domain of `example.org=host:port,other.test=h:p,h:p,*=h:p`.

    A host without a domain belongs to the domain before it. Raises ImproperlyConfigured.
    """
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    domain = ""
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, host = item.rpartition("=")
        domain = name.strip().lower() if equals else domain
        if not domain:
            raise ImproperlyConfigured(f"not domain=host:port: {item!r}")
        found[domain] = found.get(domain, ()) + hosts(host)
    return found


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated CIDR list. Raises ImproperlyConfigured."""
    try:
        return tuple(
            ipaddress.ip_network(item.strip(), strict=False)
            for item in text.split(",")
            if item.strip()
        )
    except ValueError as error:
        raise ImproperlyConfigured(f"not a list of networks: {error}") from error


def with_password(url: str, password: str) -> str:
    """Return `url` with the password, as a file holds it, unless it has one or names no host."""
    parts, password = urlsplit(url), password.strip()
    if not password or not parts.hostname or parts.password is not None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()


def secret_file(path: Path) -> str:
    """Return the secret kept in `path`; make it (mode 0600) when it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
