"""A stub resolver for what mail needs: MX, A and AAAA (RFC 1035, RFC 5321 section 5.1).

Asks the given recursive servers through dnspython, which checks identifier, question and source
of every answer, takes a new random port for each query and repeats a truncated one over TCP.
Everything a hostile zone can do is limited in time, in CNAME steps and in what is kept.
Validates no DNSSEC and chooses no host: that is `dns.mx`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.name
import dns.nameserver
import dns.resolver
from dns.rdata import Rdata
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from mailcore.address import AddressError, normalise_domain
from mailcore.dns.cache import TtlCache
from mailcore.errors import MailError

QUERY_TIMEOUT_S = 5.0
LOOKUP_TIMEOUT_S = 20.0
CNAME_LIMIT = 10
NULL = "."

_RECORD_LIMIT = 100
_CACHE_SIZE = 2_000
_TTL_MAX_S = 3_600.0
_NEGATIVE_TTL_MAX_S = 300.0
_PARTIAL_TTL_MAX_S = 60.0


class LookupFailed(MailError):  # noqa: N818 - says what happened, as RFC 5321 5.1 does
    """There is no answer: `reason` says why, `is_temporary` whether a later try may help."""

    def __init__(self, name: str, reason: str, *, is_temporary: bool = True) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason
        self.is_temporary = is_temporary


class NoSuchDomain(LookupFailed):
    """The name does not exist (NXDOMAIN), or is none."""

    def __init__(self, name: str, reason: str = "no such domain") -> None:
        super().__init__(name, reason, is_temporary=False)


class Resolver(Protocol):
    """What asks the DNS. Names are A-labels; they come back in lower case, without final dot."""

    async def mx(self, name: str) -> Sequence[tuple[int, str]]:
        """Return preference and host of each MX, `.` for a null MX; () when there is no MX.

        Follows CNAME. Raises LookupFailed, NoSuchDomain.
        """

    async def addresses(self, name: str) -> Sequence[str]:
        """Return the IPv4 and IPv6 addresses of a host as texts; () when it has none.

        Follows CNAME. Raises LookupFailed, NoSuchDomain.
        """


Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class _Found(Generic[Record]):
    """The part of an answer that is kept; without records, `exists` tells NODATA from NXDOMAIN."""

    records: tuple[Record, ...]
    ttl_s: float
    exists: bool = True


class DnsResolver:
    """A Resolver that asks `servers` (IP address and port), or those of /etc/resolv.conf.

    One query waits `query_timeout_s` before the next server, or the same again, is asked; `mx` and
    `addresses` end after `lookup_timeout_s` each. Answers are kept for their TTL, measured by
    `clock` in seconds; failures are not. For one event loop. Raises ValueError when a server is no
    IP address.
    """

    def __init__(
        self,
        *,
        servers: Sequence[tuple[str, int]] = (),
        query_timeout_s: float = QUERY_TIMEOUT_S,
        lookup_timeout_s: float = LOOKUP_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._query_timeout_s = query_timeout_s
        self._lookup_timeout_s = lookup_timeout_s
        self._stub = _stub(servers)
        self._stub.timeout = query_timeout_s
        self._stub.lifetime = lookup_timeout_s
        self._mx: TtlCache[_Found[tuple[int, str]]] = TtlCache(size=_CACHE_SIZE, clock=clock)
        self._addresses: TtlCache[_Found[str]] = TtlCache(size=_CACHE_SIZE, clock=clock)

    async def mx(self, name: str) -> Sequence[tuple[int, str]]:
        """See `Resolver.mx`."""
        return await _remembered(self._mx, name, self._ask_mx)

    async def addresses(self, name: str) -> Sequence[str]:
        """See `Resolver.addresses`. One of A and AAAA is enough when the other has no answer."""
        return await _remembered(self._addresses, name, self._ask_addresses)

    async def _ask_mx(self, name: str) -> _Found[tuple[int, str]]:
        return await self._ask(name, RdataType.MX, _mx_record)

    async def _ask_addresses(self, name: str) -> _Found[str]:
        kinds = (RdataType.A, RdataType.AAAA)
        tasks = [asyncio.create_task(self._ask(name, kind, _address)) for kind in kinds]
        try:
            done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if pending:
                await asyncio.wait(pending, timeout=self._patience_s(done))
        finally:
            for task in tasks:
                task.cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
        return _united(name, answers)

    def _patience_s(self, done: Collection[asyncio.Task[_Found[str]]]) -> float:
        """Return how long the slower of A and AAAA is worth waiting for."""
        is_enough = any(not task.exception() and task.result().records for task in done)
        return self._query_timeout_s if is_enough else self._lookup_timeout_s

    async def _ask(
        self, name: str, kind: RdataType, read: Callable[[Rdata], Record]
    ) -> _Found[Record]:
        """Return what `read` makes of the records. Raises LookupFailed, but not NoSuchDomain."""
        try:
            async with asyncio.timeout(self._lookup_timeout_s):
                return await self._follow(name, kind, read)
        except (TimeoutError, dns.exception.Timeout) as error:
            raise LookupFailed(name, "no answer in time") from error
        except dns.resolver.NXDOMAIN as error:
            return _Found((), _negative_ttl_s(error), exists=False)
        except dns.resolver.NoNameservers as error:
            raise LookupFailed(name, _complaint(error)) from error
        except dns.exception.DNSException as error:
            raise LookupFailed(name, type(error).__name__) from error

    async def _follow(
        self, name: str, kind: RdataType, read: Callable[[Rdata], Record]
    ) -> _Found[Record]:
        """Ask, and ask on where the server left a CNAME unresolved (RFC 1034, 3.6.2)."""
        target, steps, ttl_s = _absolute(name), 0, _TTL_MAX_S
        while True:
            answer = await self._stub.resolve(target, kind, raise_on_no_answer=False, search=False)
            if answer.response.flags & dns.flags.TC:
                raise LookupFailed(name, "truncated over TCP")
            steps += len(answer.chaining_result.cnames)
            ttl_s = min(ttl_s, answer.chaining_result.minimum_ttl)
            if steps > CNAME_LIMIT:
                raise LookupFailed(name, f"more than {CNAME_LIMIT} CNAME records in a row")
            if answer.rrset is not None:
                return _Found(tuple(map(read, islice(answer.rrset, _RECORD_LIMIT))), ttl_s)
            if answer.canonical_name == target:
                return _Found((), min(ttl_s, _NEGATIVE_TTL_MAX_S))
            target = answer.canonical_name


async def _remembered(
    cache: TtlCache[_Found[Record]], name: str, ask: Callable[[str], Awaitable[_Found[Record]]]
) -> Sequence[Record]:
    found = cache.get(name.lower())
    if found is None:
        found = await ask(name)
        cache.put(name.lower(), found, ttl_s=found.ttl_s)
    if not found.exists:
        raise NoSuchDomain(name)
    return found.records


def _united(name: str, answers: Sequence[_Found[str] | BaseException]) -> _Found[str]:
    """Join what A and AAAA gave. Raises LookupFailed when one failed and the other has nothing."""
    found = [answer for answer in answers if isinstance(answer, _Found)]
    failures = [answer for answer in answers if isinstance(answer, Exception)]
    ttl_s = min((answer.ttl_s for answer in found), default=0.0)
    records = tuple(record for answer in found for record in answer.records)
    if records and len(found) < len(answers):
        return _Found(records, min(ttl_s, _PARTIAL_TTL_MAX_S))
    if len(found) < len(answers):
        raise failures[0] if failures else LookupFailed(name, "no answer in time")
    return _Found(records, ttl_s, exists=any(answer.exists for answer in found))


def _stub(servers: Sequence[tuple[str, int]]) -> dns.asyncresolver.Resolver:
    if not servers:
        return _system_stub()
    stub = dns.asyncresolver.Resolver(configure=False)
    for address, _ in servers:
        ipaddress.ip_address(address)
    stub.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in servers]
    return stub


def _system_stub() -> dns.asyncresolver.Resolver:
    try:
        return dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        # Without servers every lookup fails for now: mail waits until somebody mends the machine.
        return dns.asyncresolver.Resolver(configure=False)


def _absolute(name: str) -> dns.name.Name:
    try:
        return dns.name.from_text(normalise_domain(name), dns.name.root)
    except (dns.exception.DNSException, AddressError) as error:
        raise NoSuchDomain(name, "not a domain name") from error


def _mx_record(record: Rdata) -> tuple[int, str]:
    assert isinstance(record, MX)
    return record.preference, record.exchange.to_text(omit_final_dot=True).lower()


def _address(record: Rdata) -> str:
    assert isinstance(record, A | AAAA)
    return str(record.address)


def _negative_ttl_s(error: dns.resolver.NXDOMAIN) -> float:
    answers = (error.kwargs.get("responses") or {}).values()
    ttls: list[float] = [answer.resolve_chaining().minimum_ttl for answer in answers]
    return min([_NEGATIVE_TTL_MAX_S, *ttls])


def _complaint(error: dns.resolver.NoNameservers) -> str:
    """Return what the last server said: a response code such as SERVFAIL, or an error's name."""
    errors = error.kwargs.get("errors") or ()
    if not errors:
        return "no DNS server is known"
    complaint = errors[-1][3]
    return complaint if isinstance(complaint, str) else type(complaint).__name__
