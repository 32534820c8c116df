"""May mail come from this domain? SENDER_DOMAIN_CHECK of port 25 (RFC 5321, 5.1; RFC 7505, 4.2).

A domain with neither MX nor address could never be answered; one with a null MX says that it
sends no mail. A fault of the DNS lets mail pass: it is no fault of the sender. Verdicts are kept
for minutes, so that a flood from one domain asks once. Says nothing about who the client is.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from mailcore.address import AddressError, parse_reverse_path
from mailcore.delivery import refusals
from mailcore.dns.resolver import LookupFailed, NoSuchDomain, Resolver
from mailcore.errors import Refused
from mailcore.smtp.reply import Reply

_KEPT_S = {None: 600.0, refusals.NULL_MX: 600.0, refusals.NO_SENDER_DOMAIN: 60.0}
_UNKNOWN_S = 30.0
_SIZE = 10_000
_PATIENCE_S = 10.0
_NULL_MX = {"", "."}


class SenderDomains:
    """Asks a Resolver about domains of reverse-paths. For one event loop; `clock` in seconds."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._resolver = resolver
        self._clock = clock
        self._patience_s = patience_s
        self._kept: OrderedDict[str, tuple[float, Reply | None]] = OrderedDict()

    async def check(self, reverse_path: str) -> None:
        """Raise Refused when no answer could reach `reverse_path`; '' and literals pass."""
        domain = _domain(reverse_path)
        if not domain:
            return
        kept = self._kept.get(domain)
        if kept is None or kept[0] < self._clock():
            kept = self._keep(domain, *await self._ask(domain))
        if kept[1] is not None:
            raise Refused(kept[1])

    def _keep(
        self, domain: str, verdict: Reply | None, lasts_s: float
    ) -> tuple[float, Reply | None]:
        kept = self._kept[domain] = (self._clock() + lasts_s, verdict)
        self._kept.move_to_end(domain)
        if len(self._kept) > _SIZE:
            self._kept.popitem(last=False)
        return kept

    async def _ask(self, domain: str) -> tuple[Reply | None, float]:
        """Return the verdict and for how many seconds it holds."""
        try:
            verdict = await asyncio.wait_for(self._look_up(domain), self._patience_s)
        except (LookupFailed, TimeoutError):
            return None, _UNKNOWN_S
        return verdict, _KEPT_S[verdict]

    async def _look_up(self, domain: str) -> Reply | None:
        """Return the refusal, None when the domain takes mail. Raises LookupFailed."""
        try:
            exchangers = await self._resolver.mx(domain)
            if exchangers:
                is_null = all(name in _NULL_MX for _, name in exchangers)
                return refusals.NULL_MX if is_null else None
            if await self._resolver.addresses(domain):
                return None
        except NoSuchDomain:
            pass
        return refusals.NO_SENDER_DOMAIN


def _domain(reverse_path: str) -> str:
    try:
        address = parse_reverse_path(reverse_path)
    except AddressError:
        return ""
    domain = address.domain if address else ""
    return "" if domain.startswith("[") else domain
