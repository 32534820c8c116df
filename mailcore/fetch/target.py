"""Where a URL leads, read as strictly as an address that a stranger wrote deserves.

RFC 3986, and of WHATWG URL the rule that a host ending in a number is an IP address: written in
decimal, octal, hex or short form it is refused, since readers disagree about it. Resolves nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from mailcore.address import AddressError, normalise_domain
from mailcore.errors import MailError

MAX_URL = 2048
PORTS = {"http": 80, "https": 443}

_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_NUMBER = re.compile(r"\d+|0[xX][0-9a-fA-F]*")
_SAFE = "/:?#[]@!$&'()*+,;=%-._~|"


class FetchFailed(MailError):  # noqa: N818 - what happened
    """There is no file; `reason` is one of a few words for logs, never text of the server."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """One request: `host` is an A-label name or an IP address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address already."""
        return ":" in self.host or _ends_in_number(self.host)

    @property
    def authority(self) -> str:
        """The Host field (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address again, as the next hop's is relative to it."""
        return f"{self.scheme}://{self.authority}{self.path}"


def parse(url: str, *, ports: Collection[int] = (80, 443)) -> Target:
    """Return where `url` leads. Raises FetchFailed for what is not plainly a web address."""
    if len(url) > MAX_URL or _UNSEEN.search(url):
        raise FetchFailed("url")
    try:
        split = urlsplit(url)
        host, port = split.hostname or "", split.port
    except ValueError as error:
        raise FetchFailed("url") from error
    if split.scheme not in PORTS:
        raise FetchFailed("scheme")
    if "@" in split.netloc or ("[" in split.netloc and ":" not in host):
        raise FetchFailed("url")
    port = PORTS[split.scheme] if port is None else port
    if port not in ports:
        raise FetchFailed("port")
    query = f"?{split.query}" if split.query else ""
    path = quote((split.path or "/") + query, safe=_SAFE)
    return Target(split.scheme, _host(host), port, path)


def follow(target: Target, location: str, *, ports: Collection[int]) -> Target:
    """Return where a redirect leads (RFC 9110, 10.2.2). Raises FetchFailed, from https to http."""
    if len(location) > MAX_URL or _UNSEEN.search(location):
        raise FetchFailed("url")
    try:
        joined = urljoin(target.url, location)
    except ValueError as error:
        raise FetchFailed("url") from error
    found = parse(joined, ports=ports)
    if target.scheme == "https" and found.scheme == "http":
        raise FetchFailed("scheme")
    return found


def _host(host: str) -> str:
    if ":" in host or _ends_in_number(host):
        try:
            return str(ipaddress.ip_address(host))
        except ValueError as error:
            raise FetchFailed("host") from error
    try:
        name = normalise_domain(host.removesuffix("."))
    except AddressError as error:
        raise FetchFailed("host") from error
    if "." not in name or _ends_in_number(name):
        raise FetchFailed("host")
    return name


def _ends_in_number(host: str) -> bool:
    return bool(_NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]))
