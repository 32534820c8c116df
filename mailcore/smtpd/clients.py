"""Counters per client network, so that no client shuts others out (guarantees G10).

A client is an IPv4 address or an IPv6 /64. Counts live in this process and outlive a STARTTLS and
a connection. Windows are whole minutes. Which reply a refusal gets is the session's business.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from mailcore.conf import Networks
from mailcore.smtpd.limits import Limits

_WINDOW_S = 60.0
_IPV6_CLIENT_BITS = 64
_KNOWN_MAX = 10_000
_KNOWN_RESERVE = 0.9


@dataclass(slots=True)
class _Client:
    """Counts of one network. `started` is when its minute began."""

    started: float
    open: int = 0
    new: int = 0
    messages: int = 0
    recipients: int = 0


class Clients:
    """The table of everybody who is here or was here during the last minute."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._clients: dict[str, _Client] = {}
        self._known: OrderedDict[str, None] = OrderedDict()
        self._swept = clock()
        self._networks: OrderedDict[str, tuple[str, bool]] = OrderedDict()
        self.open_count = 0

    def is_exempt(self, ip: str) -> bool:
        """Return whether the operator named this address as one not to count."""
        return self._network(ip)[1]

    def enter(self, ip: str) -> str:
        """Count a new connection. Return '' or, when it must go, why; call `leave` in any case."""
        network, exempt = self._network(ip)
        self.open_count += 1
        client = self._client(network)
        client.open += 1
        client.new += 1
        if exempt:
            return ""
        limits = self._limits
        if client.open > limits.connections_per_client:
            return "too many connections from your network"
        if client.new > limits.new_per_minute:
            return "too many new connections from your network"
        room = limits.connections * (1 if network in self._known else _KNOWN_RESERVE)
        return "too many connections" if self.open_count > room else ""

    def leave(self, ip: str) -> None:
        """Count the end of a connection."""
        self.open_count -= 1
        client = self._clients.get(self._network(ip)[0])
        if client is not None:
            client.open -= 1

    def may_send(self, ip: str) -> bool:
        """Count a message; return whether it is within the minute's allowance."""
        network, exempt = self._network(ip)
        client = self._client(network)
        client.messages += 1
        return exempt or client.messages <= self._limits.messages_per_minute

    def may_address(self, ip: str) -> bool:
        """Count a recipient; return whether it is within the minute's allowance."""
        network, exempt = self._network(ip)
        client = self._client(network)
        client.recipients += 1
        return exempt or client.recipients <= self._limits.recipients_per_minute

    def remember(self, ip: str) -> None:
        """Note that this client delivered mail: the last places are kept for such."""
        network = self._network(ip)[0]
        self._known[network] = None
        self._known.move_to_end(network)
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)

    def _client(self, network: str) -> _Client:
        now = self._clock()
        if now - self._swept >= _WINDOW_S:
            self._sweep(now)
        client = self._clients.get(network)
        if client is None:
            client = self._clients[network] = _Client(now)
        elif now - client.started >= _WINDOW_S:
            client.started = now
            client.new = client.messages = client.recipients = 0
        return client

    def _sweep(self, now: float) -> None:
        self._swept = now
        gone = [
            network
            for network, client in self._clients.items()
            if client.open <= 0 and now - client.started >= _WINDOW_S
        ]
        for network in gone:
            del self._clients[network]

    def _network(self, ip: str) -> tuple[str, bool]:
        found = self._networks.get(ip)
        if found is None:
            found = self._networks[ip] = _classify(ip, self._limits)
            if len(self._networks) > _KNOWN_MAX:
                self._networks.popitem(last=False)
        return found


def plain_ip(ip: str) -> str:
    """Return the address without a zone; IPv4 mapped into IPv6 as IPv4. '' stays ''."""
    bare = ip.partition("%")[0]
    if bare.startswith("::"):
        mapped = ipaddress.IPv6Address(bare).ipv4_mapped
        return str(mapped) if mapped else bare
    return bare


def is_in(ip: str, networks: Networks) -> bool:
    """Return whether an address, zone and IPv4 mapping aside, lies in one of the networks."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _classify(ip: str, limits: Limits) -> tuple[str, bool]:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip, False
    exempt = any(address in network for network in limits.exempt_networks)
    if address.version == 4:
        return ip, exempt
    return str(ipaddress.ip_network((address, _IPV6_CLIENT_BITS), strict=False)), exempt
