"""Where mail for a domain goes: a fixed route, the smarthost, or its MX (RFC 5321, 5.1).

Reads the settings and asks DNS; connects to nobody. A route for the domain itself comes before the
smarthost, that before the route for all others, and only then the MX is asked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from mailcore import conf
from mailcore.dns.mx import Host, NoHost, find_hosts
from mailcore.dns.resolver import LookupFailed, Resolver
from mailcore.smtp.client import Login, Tls
from mailcore.smtp.reply import Reply

MAX_TARGETS = 10
_ANY = "*"
_SMARTHOST_TLS = {"none": Tls.NONE, "starttls": Tls.REQUIRED, "implicit": Tls.IMPLICIT}
# RFC 6761, 6.3: never asked of a name server.
_LOCALHOST = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Target:
    """One address to connect to; `host` is the name that led to it."""

    host: str
    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Route:
    """What decides where mail goes and which connections it may share.

    `fixed` names the hosts and ports to use; when it is empty, the MX of `name` is asked. `kind`
    and `name` are those of the queue's Destination.
    """

    kind: str
    name: str
    fixed: tuple[tuple[str, int], ...] = ()
    tls: Tls = Tls.OPPORTUNISTIC
    login: Login | None = None


def choose(*, domain: str, route: str) -> Route:
    """Return the route of a queued recipient's domain; `route` is its `mx` or `smarthost`.

    Mail that was captured and released has `mx`: it goes to its real destination.
    """
    routes = conf.smtp_routes()
    if domain in routes:
        return _fixed(routes[domain])
    smarthost = conf.smarthost()
    if smarthost.hosts and "smarthost" in (conf.outbound_mode(), route):
        login = Login(smarthost.user, smarthost.password) if smarthost.user else None
        return Route(
            kind="host",
            name=smarthost.hosts[0][0],
            fixed=smarthost.hosts,
            tls=_SMARTHOST_TLS[smarthost.tls],
            login=login,
        )
    if _ANY in routes:
        return _fixed(routes[_ANY])
    return Route(kind="domain", name=domain)


def _fixed(hosts: tuple[tuple[str, int], ...]) -> Route:
    return Route(kind="host", name=hosts[0][0], fixed=hosts)


async def find_targets(route: Route, *, resolver: Resolver) -> tuple[Target, ...]:
    """Return the addresses to try, in order, at most 10. Raises NoHost, which says why not."""
    if route.fixed:
        hosts = [await _addresses(name, port, resolver=resolver) for name, port in route.fixed]
    else:
        hosts = list(
            await find_hosts(
                domain=route.name,
                resolver=resolver,
                port=conf.outbound_port(),
                own_names={conf.hostname()},
            )
        )
    targets = [Target(host.name, ip, host.port) for host in hosts for ip in host.addresses]
    if not targets:
        raise NoHost(Reply(451, "4.4.4", "No address of the route's hosts is known"))
    return tuple(targets[:MAX_TARGETS])


async def _addresses(name: str, port: int, *, resolver: Resolver) -> Host:
    """Return a named host with its addresses; none when they cannot be found now."""
    return Host(name=name, addresses=tuple(await _look_up(name, resolver)), port=port)


async def _look_up(name: str, resolver: Resolver) -> Sequence[str]:
    if name == "localhost":
        return _LOCALHOST
    try:
        return [str(ipaddress.ip_address(name))]
    except ValueError:
        pass
    try:
        return await resolver.addresses(name)
    except LookupFailed:
        return ()
