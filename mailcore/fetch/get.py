"""Fetch a URL through as many as three redirects, checking and pinning the address of every hop.

All addresses of a name must be allowed, or none is dialled: a name that also points inside is a
trap. Five seconds and five megabytes for everything together. Raises, never returns, a refusal.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache

from mailcore import dial
from mailcore.errors import MailError
from mailcore.fetch.http import Answer, exchange
from mailcore.fetch.target import FetchFailed, Target, follow, parse

Resolve = Callable[[str], Awaitable[Sequence[str]]]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
ADDRESSES_TRIED = 3
CONNECT_S = 2.0


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of one fetch; tests loosen `allow`, `ports` and `trust`, nothing else does."""

    allow: dial.Networks = ()
    ports: Collection[int] = (80, 443)
    trust: ssl.SSLContext | None = None
    timeout_s: float = 5.0
    max_bytes: int = 5 * 2**20
    redirects_max: int = 3


async def get(url: str, *, resolve: Resolve, rules: Rules | None = None) -> bytes:
    """Return the octets at `url`. `resolve` turns a name into IP addresses.

    Raises FetchFailed, whatever the reason: no packet leaves for an address that is refused.
    """
    rules = rules or Rules()
    try:
        async with asyncio.timeout(rules.timeout_s):
            return await _through_redirects(parse(url, ports=rules.ports), resolve, rules)
    except dial.Forbidden as error:
        raise FetchFailed("address") from error
    except TimeoutError as error:
        raise FetchFailed("time") from error
    except (OSError, ValueError) as error:
        raise FetchFailed("connection") from error


async def _through_redirects(target: Target, resolve: Resolve, rules: Rules) -> bytes:
    for _ in range(rules.redirects_max + 1):
        answer = await _hop(target, resolve, rules)
        if answer.status == 200:
            return answer.body
        if answer.status not in REDIRECTS or "location" not in answer.fields:
            raise FetchFailed("status")
        target = follow(target, answer.fields["location"], ports=rules.ports)
    raise FetchFailed("redirects")


async def _hop(target: Target, resolve: Resolve, rules: Rules) -> Answer:
    addresses = await _addresses(target, resolve, rules)
    for ip in addresses[:-1]:
        try:
            reader, writer = await _connect(ip, target, rules)
        except OSError:
            continue
        break
    else:
        reader, writer = await _connect(addresses[-1], target, rules)
    try:
        return await exchange(reader, writer, target, max_bytes=rules.max_bytes)
    finally:
        writer.transport.abort()


async def _addresses(target: Target, resolve: Resolve, rules: Rules) -> list[str]:
    """Return what may be dialled, IPv4 first. Raises FetchFailed and dial.Forbidden."""
    if target.is_address:
        found: Sequence[str] = [target.host]
    else:
        try:
            found = await resolve(target.host)
        except MailError as error:
            raise FetchFailed("name") from error
    if not found:
        raise FetchFailed("name")
    for ip in found:
        dial.check(ip, rules.allow)
    return sorted(found, key=lambda ip: ":" in ip)[:ADDRESSES_TRIED]


async def _connect(
    ip: str, target: Target, rules: Rules
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader = asyncio.StreamReader()
    transport, protocol = await dial.connect(
        lambda: asyncio.StreamReaderProtocol(reader),
        ip=ip,
        port=target.port,
        allow=rules.allow,
        timeout_s=CONNECT_S,
    )
    writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
    if target.scheme == "https":
        try:
            await writer.start_tls(rules.trust or _trust(), server_hostname=target.host)
        except BaseException:
            writer.transport.abort()
            raise
    return reader, writer


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
