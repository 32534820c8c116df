"""Which sender domains port 25 refuses when SENDER_DOMAIN_CHECK is on (RFC 7505, 4.2)."""

from __future__ import annotations

import asyncio

import pytest

from mailcore.delivery.sender_domain import SenderDomains
from mailcore.dns.resolver import LookupFailed, NoSuchDomain
from mailcore.errors import Refused

MX = {"mx.test": [(10, "host.mx.test")], "null.test": [(0, ".")]}
ADDRESSES = {"host.test": ["192.0.2.1"]}
NAMES = {*MX, *ADDRESSES, "empty.test"}


class Zone:
    """A resolver of a small world; `faults` raise instead, `asked` counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.faults: dict[str, BaseException] = {}
        self.is_silent = False

    async def mx(self, name: str) -> list[tuple[int, str]]:
        self.asked.append(name)
        if self.is_silent:
            await asyncio.sleep(3600)
        if name in self.faults:
            raise self.faults[name]
        if name not in NAMES:
            raise NoSuchDomain(name)
        return MX.get(name, [])

    async def addresses(self, name: str) -> list[str]:
        return ADDRESSES.get(name, [])


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def zone() -> Zone:
    return Zone()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def domains(zone, time) -> SenderDomains:
    return SenderDomains(resolver=zone, clock=time, patience_s=0.05)


def verdict(domains: SenderDomains, reverse_path: str) -> str:
    try:
        asyncio.run(domains.check(reverse_path))
    except Refused as refused:
        return str(refused.reply)[:10].strip()
    return "passes"


@pytest.mark.parametrize(
    ("reverse_path", "expected"),
    [
        ("a@mx.test", "passes"),
        ("a@host.test", "passes"),
        ("a@empty.test", "450 4.1.8"),
        ("a@gone.test", "450 4.1.8"),
        ("a@null.test", "550 5.7.27"),
        ("a@MX.test", "passes"),
        ("a@[192.0.2.1]", "passes"),
        ("", "passes"),
    ],
)
def test_domain_must_take_answers(domains, reverse_path, expected):
    assert verdict(domains, reverse_path) == expected


def test_fault_of_the_dns_lets_mail_pass(domains, zone):
    zone.faults["mx.test"] = LookupFailed("mx.test", "SERVFAIL")
    assert verdict(domains, "a@mx.test") == "passes"
    zone.is_silent = True
    assert verdict(domains, "a@other.test") == "passes"


def test_verdicts_are_kept_for_minutes(domains, zone, time):
    for _ in range(3):
        assert verdict(domains, "a@gone.test") == "450 4.1.8"
        assert verdict(domains, "b@mx.test") == "passes"
    assert zone.asked == ["gone.test", "mx.test"]
    NAMES.add("gone.test")
    MX["gone.test"] = [(1, "x.test")]
    try:
        time.seconds += 61
        assert verdict(domains, "a@gone.test") == "passes"
    finally:
        NAMES.discard("gone.test")
        del MX["gone.test"]


def test_failure_is_asked_again_soon(domains, zone, time):
    zone.faults["null.test"] = LookupFailed("null.test", "SERVFAIL")
    assert verdict(domains, "a@null.test") == "passes"
    zone.faults.clear()
    time.seconds += 31
    assert verdict(domains, "a@null.test") == "550 5.7.27"
