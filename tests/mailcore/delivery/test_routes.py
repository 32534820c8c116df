"""Which hosts a domain's mail goes to, by the settings and by DNS."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from mailcore.delivery import routes
from mailcore.delivery.routes import Route, Target
from mailcore.dns.mx import NoHost
from mailcore.dns.resolver import LookupFailed, NoSuchDomain
from mailcore.smtp.client import Login, Tls


class Zone:
    """A resolver of a few names; an exception as data is raised."""

    def __init__(self, **addresses: Sequence[str] | LookupFailed) -> None:
        self._addresses = {name.replace("_", "."): data for name, data in addresses.items()}

    async def mx(self, name: str) -> Sequence[tuple[int, str]]:
        return [(10, f"mx.{name}")]

    async def addresses(self, name: str) -> Sequence[str]:
        found = self._addresses.get(name, NoSuchDomain(name))
        if isinstance(found, LookupFailed):
            raise found
        return found


@pytest.fixture(autouse=True)
def _direct(settings: Any) -> None:
    settings.OUTBOUND_MODE = "direct"
    settings.OUTBOUND_PORT = 2525
    settings.SMTP_ROUTES = {}
    settings.SMARTHOST = ()


def _find(route: Route, zone: Zone) -> tuple[Target, ...]:
    return asyncio.run(routes.find_targets(route, resolver=zone))


def test_without_settings_the_mx_decides():
    route = routes.choose(domain="remote.test", route="mx")
    assert route == Route(kind="domain", name="remote.test")
    zone = Zone(mx_remote_test=["192.0.2.1"])
    assert _find(route, zone) == (Target("mx.remote.test", "192.0.2.1", 2525),)


def test_a_route_of_the_domain_comes_before_the_smarthost_and_that_before_any(settings: Any):
    settings.SMTP_ROUTES = {
        "remote.test": (("relay.test", 26), ("192.0.2.9", 27)),
        "*": (("any.test", 28),),
    }
    remote = routes.choose(domain="remote.test", route="mx")
    assert remote.fixed == (("relay.test", 26), ("192.0.2.9", 27))
    assert routes.choose(domain="other.test", route="mx").name == "any.test"
    settings.OUTBOUND_MODE, settings.SMARTHOST = "smarthost", (("smart.test", 587),)
    assert routes.choose(domain="remote.test", route="mx") == remote
    assert routes.choose(domain="other.test", route="mx").name == "smart.test"
    zone = Zone(relay_test=["192.0.2.8"])
    assert _find(remote, zone) == (
        Target("relay.test", "192.0.2.8", 26),
        Target("192.0.2.9", "192.0.2.9", 27),
    )


@pytest.mark.parametrize(
    ("word", "tls"),
    [("none", Tls.NONE), ("starttls", Tls.REQUIRED), ("implicit", Tls.IMPLICIT)],
)
def test_a_smarthost_has_its_login_and_tls(settings: Any, word: str, tls: Tls):
    settings.OUTBOUND_MODE, settings.SMARTHOST = "smarthost", (("smart.test", 587),)
    settings.SMARTHOST_USER, settings.SMARTHOST_PASSWORD = "us", "secret"
    settings.SMARTHOST_TLS = word
    route = routes.choose(domain="remote.test", route="smarthost")
    assert (route.kind, route.tls, route.login) == ("host", tls, Login("us", "secret"))


def test_released_mail_goes_to_its_real_destination_though_a_smarthost_is_named(settings: Any):
    settings.OUTBOUND_MODE, settings.SMARTHOST = "capture", (("smart.test", 587),)
    assert routes.choose(domain="remote.test", route="mx").name == "remote.test"


def test_at_most_ten_addresses_are_tried(settings: Any):
    hosts = tuple((f"192.0.2.{number}", 25) for number in range(1, 20))
    assert len(_find(Route("host", "many", fixed=hosts), Zone())) == 10


@pytest.mark.parametrize("trouble", [NoSuchDomain("relay.test"), LookupFailed("relay.test", "?")])
def test_a_route_whose_host_has_no_address_is_a_temporary_trouble(trouble: LookupFailed):
    route = Route("host", "relay.test", fixed=(("relay.test", 25),))
    with pytest.raises(NoHost) as caught:
        _find(route, Zone(relay_test=trouble))
    assert (caught.value.is_temporary, caught.value.reply.code) == (True, 451)


def test_localhost_is_asked_of_nobody():
    route = Route("host", "localhost", fixed=(("localhost", 25),))
    assert [target.ip for target in _find(route, Zone())] == ["127.0.0.1", "::1"]
