"""The hosts that take a domain's mail, in the order of trying (RFC 5321, 5.1; RFC 7505).

The zone is the other side's: what it says is limited here to few hosts and addresses, and a
temporary fault of the DNS never becomes a permanent failure. Whether an address may be dialled at
all is decided in `dial`; routes and smarthosts in `delivery`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from mailcore.address import PATH_OCTETS, AddressError, normalise_domain
from mailcore.dns.resolver import NULL, LookupFailed, Resolver
from mailcore.errors import MailError
from mailcore.smtp.reply import Reply

MX_LIMIT = 20
HOST_LIMIT = 5
ADDRESS_LIMIT = 10
LOOKUP_TIMEOUT_S = 20.0

Shuffle = Callable[[list[Any]], None]


@dataclass(frozen=True, slots=True)
class Host:
    """One place to try: a name (A-labels, or the address literal), its addresses in order."""

    name: str
    addresses: tuple[str, ...]
    port: int


class NoHost(MailError):  # noqa: N818 - an answer about a domain, not a fault
    """No host takes the domain's mail; `reply` is what its recipients get."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply

    @property
    def is_temporary(self) -> bool:
        """Whether a later try may find a host."""
        return self.reply.is_temporary


async def find_hosts(
    *,
    domain: str,
    resolver: Resolver,
    port: int,
    own_names: Collection[str],
    shuffle: Shuffle = random.shuffle,
    timeout_s: float = LOOKUP_TIMEOUT_S,
) -> tuple[Host, ...]:
    """Return the hosts for mail to `domain`, the one to try first at the start; at least one.

    `domain` is a name or an address literal. Hosts of equal preference come in an order that
    `shuffle` chooses, as do the addresses of a host, IPv4 and IPv6 in turn. Where one of
    `own_names` is among the MX, only hosts preferred to it remain. `timeout_s` limits the search
    for addresses; what was found until then is returned. Raises NoHost.
    """
    name = _normalised(domain)
    if name.startswith("["):
        address = name[1:-1].removeprefix("ipv6:")
        return (Host(name, (address,), port),)
    preferred = await _mail_exchangers(name, resolver, own_names, shuffle)
    found = await _addresses(name, preferred, resolver, timeout_s)
    hosts = [(host, _mixed(addresses, shuffle)) for host, addresses in found]
    return tuple(Host(host, addresses, port) for host, addresses in _shared_out(hosts))


def _normalised(domain: str) -> str:
    try:
        return normalise_domain(domain)
    except AddressError as error:
        raise _no_host(550, "5.1.2", ascii(domain[:PATH_OCTETS]), "is no domain name") from error


async def _mail_exchangers(
    domain: str, resolver: Resolver, own_names: Collection[str], shuffle: Shuffle
) -> list[str]:
    """Return the names of the hosts, the preferred first. Raises NoHost."""
    try:
        records = sorted(await resolver.mx(domain))
    except LookupFailed as error:
        raise _lookup_failed(domain, error) from error
    if records and all(host == NULL for _, host in records):
        raise _no_host(556, "5.1.10", domain, "takes no mail (null MX)")
    records = _preferred_to_us(records or [(0, domain)], own_names)
    if not records:
        raise _no_host(554, "5.4.6", domain, "leads back to this host")
    shuffle(records)
    records.sort(key=lambda record: record[0])
    return list(dict.fromkeys(host for _, host in records if _is_host_name(host)))[:MX_LIMIT]


def _preferred_to_us(
    records: list[tuple[int, str]], own_names: Collection[str]
) -> list[tuple[int, str]]:
    """Return the records before ours: others would send the mail back to us (RFC 5321, 5.1)."""
    own = {name.lower().removesuffix(".") for name in own_names}
    ours = [preference for preference, host in records if host in own]
    return [record for record in records if not ours or record[0] < min(ours)]


def _is_host_name(host: str) -> bool:
    try:
        return normalise_domain(host) == host and not host.startswith("[")
    except AddressError:
        return False


async def _addresses(
    domain: str, names: Sequence[str], resolver: Resolver, timeout_s: float
) -> list[tuple[str, Sequence[str]]]:
    """Return the first hosts that have addresses, with them. Raises NoHost when there is none."""
    ends = asyncio.get_running_loop().time() + timeout_s
    found: list[tuple[str, Sequence[str]]] = []
    failures: list[LookupFailed] = []
    for start in range(0, len(names), HOST_LIMIT):
        some = names[start : start + HOST_LIMIT]
        answers = await asyncio.gather(*(_ask(resolver, name, ends) for name in some))
        failures += [answer for answer in answers if isinstance(answer, LookupFailed)]
        pairs = zip(some, answers, strict=True)
        found += [(n, a) for n, a in pairs if a and not isinstance(a, LookupFailed)]
        if len(found) >= HOST_LIMIT:
            break
    if not found:
        raise _no_address(domain, failures)
    return found[:HOST_LIMIT]


async def _ask(resolver: Resolver, name: str, ends: float) -> Sequence[str] | LookupFailed:
    try:
        async with asyncio.timeout_at(ends):
            return await resolver.addresses(name)
    except TimeoutError:
        return LookupFailed(name, "no answer in time")
    except LookupFailed as error:
        return error


def _mixed(addresses: Iterable[str], shuffle: Shuffle) -> list[str]:
    """Return the addresses shuffled, IPv4 and IPv6 in turn: a dead family costs one try."""
    shuffled = sorted(set(addresses))
    shuffle(shuffled)
    version_6 = [address for address in shuffled if ":" in address]
    version_4 = [address for address in shuffled if ":" not in address]
    first, second = (version_6, version_4) if ":" in shuffled[0] else (version_4, version_6)
    pairs = zip_longest(first, second)
    return [address for pair in pairs for address in pair if address is not None]


def _shared_out(hosts: Sequence[tuple[str, list[str]]]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Share ADDRESS_LIMIT out in order of preference, but leave one address to every host."""
    free = ADDRESS_LIMIT
    for after, (name, addresses) in zip(range(len(hosts) - 1, -1, -1), hosts, strict=True):
        taken = tuple(addresses[: free - after])
        free -= len(taken)
        yield name, taken


def _lookup_failed(domain: str, error: LookupFailed) -> NoHost:
    if error.is_temporary:
        return _no_host(451, "4.4.3", domain, f"cannot be looked up now ({error.reason})")
    return _no_host(550, "5.1.2", domain, "does not exist")


def _no_address(domain: str, failures: Sequence[LookupFailed]) -> NoHost:
    for failure in failures:
        if failure.is_temporary:
            what = f"has hosts that cannot be looked up now ({failure.reason})"
            return _no_host(451, "4.4.3", domain, what)
    return _no_host(550, "5.4.4", domain, "has no mail host with an address")


def _no_host(code: int, enhanced: str, domain: str, what: str) -> NoHost:
    return NoHost(Reply(code, enhanced, f"{domain} {what}"))
