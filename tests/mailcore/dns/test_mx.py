"""The hosts of a domain against a real server: order, limits, and what each dead end is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mailcore.dns.mx import ADDRESS_LIMIT, Host, NoHost, find_hosts
from mailcore.dns.resolver import DnsResolver
from mailcore.smtp.reply import Reply
from tests.support.dns_server import DnsServer, Fault

OWN = ("casilla.test", "MX.Casilla.test.")


def _in_order(_: list[Any]) -> None:
    """Shuffle nothing."""


def _reverse(items: list[Any]) -> None:
    items.reverse()


def _hosts(server: DnsServer, domain: str = "remote.test", **options: Any) -> tuple[Host, ...]:
    resolver = DnsResolver(servers=[server.address], query_timeout_s=0.2, lookup_timeout_s=0.4)
    arguments: dict[str, Any] = {"port": 25, "own_names": OWN, "shuffle": _in_order} | options
    return asyncio.run(find_hosts(domain=domain, resolver=resolver, **arguments))


def _names(server: DnsServer, domain: str = "remote.test", **options: Any) -> list[str]:
    return [host.name for host in _hosts(server, domain, **options)]


def _reply(server: DnsServer, domain: str = "remote.test", **options: Any) -> Reply:
    with pytest.raises(NoHost) as caught:
        _hosts(server, domain, **options)
    assert caught.value.is_temporary == caught.value.reply.is_temporary
    return caught.value.reply


def _is(reply: Reply, code: int, enhanced: str) -> bool:
    assert reply.text.isascii()
    assert "\n" not in reply.text
    return (reply.code, reply.enhanced) == (code, enhanced)


def _fill(server: DnsServer, *records: tuple[int, str], domain: str = "remote.test") -> None:
    """Let `domain` have these MX and each of their hosts one address."""
    server.zone[domain] = {"MX": records}
    for number, (_, host) in enumerate(records):
        server.zone[host] = {"A": [f"192.0.2.{number}"]}


class TestOrder:
    def test_the_lowest_preference_comes_first(self, server: DnsServer):
        _fill(server, (30, "c.test"), (10, "a.test"), (20, "b.test"))
        assert _names(server, shuffle=_reverse) == ["a.test", "b.test", "c.test"]

    def test_hosts_of_equal_preference_are_shuffled(self, server: DnsServer):
        _fill(server, (10, "a.test"), (10, "b.test"), (20, "c.test"), (20, "d.test"))
        assert _names(server, shuffle=_in_order) == ["a.test", "b.test", "c.test", "d.test"]
        assert _names(server, shuffle=_reverse) == ["b.test", "a.test", "d.test", "c.test"]

    def test_chance_gives_each_of_equal_hosts_its_turn(self, server: DnsServer):
        _fill(server, (10, "a.test"), (10, "b.test"))
        resolver = DnsResolver(servers=[server.address])

        async def first() -> str:
            hosts = await find_hosts(domain="remote.test", resolver=resolver, port=25, own_names=())
            return hosts[0].name

        assert {asyncio.run(first()) for _ in range(60)} == {"a.test", "b.test"}

    def test_families_take_turns(self, server: DnsServer):
        _fill(server, (10, "mx.test"))
        server.zone["mx.test"] = {
            "A": ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
            "AAAA": ["2001:db8::1"],
        }
        families = [":" in address for address in _hosts(server)[0].addresses]
        assert families == [False, True, False, False]

    def test_the_addresses_of_a_host_are_shuffled(self, server: DnsServer):
        server.zone["remote.test"] = {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]}
        (in_order,) = _hosts(server, shuffle=_in_order)
        (reversed_,) = _hosts(server, shuffle=_reverse)
        assert in_order.addresses == ("192.0.2.1", "2001:db8::1", "192.0.2.2")
        assert reversed_.addresses == ("2001:db8::1", "192.0.2.2", "192.0.2.1")

    def test_a_host_named_twice_is_tried_once(self, server: DnsServer):
        _fill(server, (20, "a.test"), (10, "a.test"), (15, "b.test"))
        assert _names(server) == ["a.test", "b.test"]

    def test_a_host_carries_the_port(self, server: DnsServer):
        _fill(server, (10, "a.test"))
        assert _hosts(server, port=2525) == (Host("a.test", ("192.0.2.0",), 2525),)


class TestWithoutMx:
    @pytest.mark.parametrize("records", [{"A": ["192.0.2.7"]}, {"AAAA": ["2001:db8::7"]}])
    def test_a_domain_with_an_address_is_its_own_host(
        self, server: DnsServer, records: dict[str, list[str]]
    ):
        server.zone["remote.test"] = records
        (addresses,) = records.values()
        assert _hosts(server) == (Host("remote.test", tuple(addresses), 25),)

    def test_the_address_does_not_count_when_the_mx_cannot_be_looked_up(self, server: DnsServer):
        server.zone["remote.test"] = {"A": ["192.0.2.7"]}
        server.faults["remote.test", "MX"] = Fault.SERVFAIL
        assert _is(_reply(server), 451, "4.4.3")

    def test_the_address_does_not_count_beside_mx(self, server: DnsServer):
        server.zone["remote.test"] = {"MX": [(10, "gone.test")], "A": ["192.0.2.7"]}
        assert _is(_reply(server), 550, "5.4.4")

    def test_neither_mx_nor_address(self, server: DnsServer):
        server.zone["remote.test"] = {"TXT": ["no mail"]}
        assert _is(_reply(server), 550, "5.4.4")

    def test_an_address_that_cannot_be_looked_up(self, server: DnsServer):
        server.zone["remote.test"] = {}
        server.faults |= {("remote.test", kind): Fault.SERVFAIL for kind in ("A", "AAAA")}
        assert _is(_reply(server), 451, "4.4.3")


class TestDeadEnds:
    def test_null_mx(self, server: DnsServer):
        server.zone["remote.test"] = {"MX": [(0, ".")], "A": ["192.0.2.7"]}
        assert _is(_reply(server), 556, "5.1.10")

    def test_a_null_mx_beside_others_is_no_host(self, server: DnsServer):
        _fill(server, (10, "a.test"))
        server.zone["remote.test"] = {"MX": [(0, "."), (10, "a.test")]}
        assert _names(server) == ["a.test"]

    def test_a_domain_that_does_not_exist(self, server: DnsServer):
        assert _is(_reply(server, "no.test"), 550, "5.1.2")

    @pytest.mark.parametrize("fault", [Fault.SERVFAIL, Fault.DROP, Fault.REFUSED, Fault.GARBAGE])
    def test_a_domain_that_cannot_be_looked_up(self, server: DnsServer, fault: Fault):
        _fill(server, (10, "a.test"))
        server.faults["remote.test"] = fault
        assert _is(_reply(server), 451, "4.4.3")

    @pytest.mark.parametrize("domain", ["", "a..b", "a b.test", "ü..test", "[1.2.3]", "[::1]"])
    def test_a_text_that_is_no_domain(self, server: DnsServer, domain: str):
        assert _is(_reply(server, domain), 550, "5.1.2")
        assert server.queries == []

    def test_no_host_exists(self, server: DnsServer):
        server.zone["remote.test"] = {"MX": [(10, "a.test"), (20, "b.test")]}
        assert _is(_reply(server), 550, "5.4.4")

    def test_a_host_without_address_while_another_cannot_be_looked_up(self, server: DnsServer):
        server.zone["remote.test"] = {"MX": [(10, "a.test"), (20, "b.test")]}
        server.faults["b.test"] = Fault.SERVFAIL
        assert _is(_reply(server), 451, "4.4.3")

    @pytest.mark.parametrize("fault", [Fault.SERVFAIL, Fault.DROP, Fault.NXDOMAIN])
    def test_the_next_host_serves_where_the_first_cannot_be_looked_up(
        self, server: DnsServer, fault: Fault
    ):
        _fill(server, (10, "a.test"), (20, "b.test"))
        server.faults["a.test"] = fault
        assert _names(server) == ["b.test"]


class TestAlias:
    def test_a_domain_that_is_an_alias_has_the_mx_of_its_target(self, server: DnsServer):
        _fill(server, (10, "a.test"), domain="target.test")
        server.zone["remote.test"] = {"CNAME": ["target.test"]}
        assert _names(server) == ["a.test"]

    def test_a_domain_that_is_an_alias_of_a_host(self, server: DnsServer):
        server.zone["host.test"] = {"A": ["192.0.2.9"]}
        server.zone["remote.test"] = {"CNAME": ["host.test"]}
        assert _hosts(server) == (Host("remote.test", ("192.0.2.9",), 25),)

    def test_a_host_that_is_an_alias_is_tolerated(self, server: DnsServer):
        _fill(server, (10, "a.test"))
        server.zone |= {"a.test": {"CNAME": ["real.test"]}, "real.test": {"A": ["192.0.2.9"]}}
        assert _hosts(server) == (Host("a.test", ("192.0.2.9",), 25),)

    def test_a_loop_of_aliases_is_temporary(self, server: DnsServer):
        server.zone |= {"remote.test": {"CNAME": ["b.test"]}, "b.test": {"CNAME": ["remote.test"]}}
        assert _is(_reply(server), 451, "4.4.3")

    def test_a_host_that_is_a_loop_of_aliases_is_left_out(self, server: DnsServer):
        _fill(server, (10, "a.test"), (20, "b.test"))
        server.zone["a.test"] = {"CNAME": ["a.test"]}
        assert _names(server) == ["b.test"]


class TestOurselves:
    def test_only_hosts_preferred_to_us_remain(self, server: DnsServer):
        _fill(server, (10, "a.test"), (20, "mx.casilla.test"), (20, "b.test"), (30, "c.test"))
        assert _names(server) == ["a.test"]

    @pytest.mark.parametrize("own", ["mx.casilla.test", "CASILLA.test"])
    def test_nobody_is_preferred_to_us(self, server: DnsServer, own: str):
        _fill(server, (10, own.lower()), (10, "b.test"), (30, "c.test"))
        server.zone["remote.test"] = {"MX": [(10, own), (10, "b.test"), (30, "c.test")]}
        assert _is(_reply(server), 554, "5.4.6")

    def test_our_own_name_without_mx_leads_back_to_us(self, server: DnsServer):
        server.zone["casilla.test"] = {"A": ["192.0.2.1"]}
        assert _is(_reply(server, "casilla.test"), 554, "5.4.6")


class TestHostileZone:
    def test_only_twenty_mx_are_looked_at(self, server: DnsServer):
        records = [(number, f"mx{number}.test") for number in range(40)]
        _fill(server, *records)
        for number in range(20):
            del server.zone[f"mx{number}.test"]
        assert _is(_reply(server), 550, "5.4.4")
        assert {query.name for query in server.queries} == {
            "remote.test",
            *(f"mx{number}.test" for number in range(20)),
        }

    def test_five_hosts_are_enough(self, server: DnsServer):
        _fill(server, *((number, f"mx{number}.test") for number in range(40)))
        assert _names(server) == [f"mx{number}.test" for number in range(5)]
        assert server.count("mx5.test", "A") == 0

    def test_dead_hosts_do_not_count_among_the_five(self, server: DnsServer):
        _fill(server, *((number, f"mx{number}.test") for number in range(8)))
        del server.zone["mx1.test"], server.zone["mx4.test"]
        assert _names(server) == [f"mx{number}.test" for number in (0, 2, 3, 5, 6)]

    def test_one_host_has_ten_addresses_at_most(self, server: DnsServer):
        _fill(server, (10, "a.test"))
        server.zone["a.test"] = {
            "A": [f"192.0.2.{number}" for number in range(200)],
            "AAAA": [f"2001:db8::{number:x}" for number in range(200)],
        }
        addresses = _hosts(server)[0].addresses
        assert len(addresses) == ADDRESS_LIMIT
        assert sum(":" in address for address in addresses) == 5

    def test_many_addresses_of_the_first_host_leave_one_for_each_other(self, server: DnsServer):
        _fill(server, *((number, f"mx{number}.test") for number in range(5)))
        server.zone["mx0.test"] = {"A": [f"192.0.2.{number}" for number in range(50)]}
        server.zone["mx3.test"] = {"A": [f"192.0.2.{number}" for number in range(50)]}
        counts = [len(host.addresses) for host in _hosts(server)]
        assert counts == [6, 1, 1, 1, 1]

    def test_the_search_for_addresses_ends(self, server: DnsServer):
        records = [(number, f"mx{number}.test") for number in range(20)]
        _fill(server, *records)
        server.faults |= {host: Fault.DROP for _, host in records}
        assert _is(_reply(server, timeout_s=0.3), 451, "4.4.3")
        assert server.count("mx19.test", "A") == 0

    def test_what_was_found_in_time_is_used(self, server: DnsServer):
        _fill(server, (10, "a.test"), (20, "b.test"))
        server.faults["a.test"] = Fault.DROP
        assert _names(server, timeout_s=0.1) == ["b.test"]

    @pytest.mark.parametrize(
        "host", ["bad\\032name.test", "line\\013\\010feed.test", "\\255.test", "dot\\.ted.test"]
    )
    def test_a_host_that_is_no_name_is_left_out(self, server: DnsServer, host: str):
        server.zone |= {"remote.test": {"MX": [(10, host)]}, host: {"A": ["192.0.2.1"]}}
        assert _is(_reply(server), 550, "5.4.4")

    def test_an_address_written_as_a_host_is_looked_up_like_any_name(self, server: DnsServer):
        server.zone["remote.test"] = {"MX": [(10, "127.0.0.1")]}
        assert _is(_reply(server), 550, "5.4.4")
        assert server.count("127.0.0.1", "A") == 1

    def test_a_host_written_as_a_literal_is_left_out(self, server: DnsServer):
        server.zone["remote.test"] = {"MX": [(10, "[127.0.0.1]")]}
        assert _is(_reply(server), 550, "5.4.4")
        assert len(server.queries) == 1


class TestLiteral:
    @pytest.mark.parametrize(
        ("literal", "name", "address"),
        [
            ("[192.0.2.1]", "[192.0.2.1]", "192.0.2.1"),
            ("[IPv6:2001:DB8:0::1]", "[ipv6:2001:db8::1]", "2001:db8::1"),
        ],
    )
    def test_an_address_literal_needs_no_dns(
        self, server: DnsServer, literal: str, name: str, address: str
    ):
        assert _hosts(server, literal) == (Host(name, (address,), 25),)
        assert server.queries == []


def test_a_domain_with_other_letters_is_asked_for_by_its_a_labels(server: DnsServer):
    _fill(server, (10, "mx.test"), domain="xn--bcher-kva.test")
    assert _names(server, "Bücher.test") == ["mx.test"]
