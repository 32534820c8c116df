"""The resolver against a real server: answers, CNAME, time to live, and every hostile answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailcore.dns.resolver import CNAME_LIMIT, DnsResolver, LookupFailed, NoSuchDomain
from tests.support.dns_server import DnsServer, Fault

HOST = {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]}


class Seconds:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def _resolver(*servers: DnsServer, clock: Any = None, query_timeout_s: float = 0.2) -> DnsResolver:
    options = {"clock": clock} if clock else {}
    return DnsResolver(
        servers=[server.address for server in servers],
        query_timeout_s=query_timeout_s,
        lookup_timeout_s=0.5,
        **options,
    )


def _run(coroutine: Coroutine[Any, Any, Sequence[Any]]) -> list[Any]:
    return list(asyncio.run(coroutine))


def _failure(coroutine: Coroutine[Any, Any, Sequence[Any]]) -> LookupFailed:
    with pytest.raises(LookupFailed) as caught:
        asyncio.run(coroutine)
    return caught.value


def _chain(length: int) -> dict[str, dict[str, list[Any]]]:
    zone: dict[str, dict[str, list[Any]]] = {
        f"c{number}.test": {"CNAME": [f"c{number + 1}.test"]} for number in range(length)
    }
    return zone | {f"c{length}.test": {"MX": [(10, "mx.test")], **HOST}}


def test_mx_records_come_with_preference_and_lower_case_name(server: DnsServer):
    server.zone["remote.test"] = {"MX": [(20, "B.remote.test"), (10, "a.remote.test")]}
    found = _run(_resolver(server).mx("Remote.TEST"))
    assert sorted(found) == [(10, "a.remote.test"), (20, "b.remote.test")]


def test_a_null_mx_is_a_dot(server: DnsServer):
    server.zone["remote.test"] = {"MX": [(0, ".")]}
    assert _run(_resolver(server).mx("remote.test")) == [(0, ".")]


def test_addresses_of_both_families_are_found(server: DnsServer):
    server.zone["mx.test"] = HOST
    assert sorted(_run(_resolver(server).addresses("mx.test"))) == ["192.0.2.1", "2001:db8::1"]


def test_a_name_without_such_records_gives_nothing(server: DnsServer):
    server.zone["mx.test"] = {"TXT": ["nothing"]}
    assert _run(_resolver(server).mx("mx.test")) == []
    assert _run(_resolver(server).addresses("mx.test")) == []


def test_a_name_that_does_not_exist_is_a_permanent_failure(server: DnsServer):
    for asked in (_resolver(server).mx("no.test"), _resolver(server).addresses("no.test")):
        failure = _failure(asked)
        assert isinstance(failure, NoSuchDomain)
        assert not failure.is_temporary
        assert failure.name == "no.test"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.SERVFAIL, "SERVFAIL"),
        (Fault.REFUSED, "REFUSED"),
        (Fault.DROP, "no answer in time"),
        (Fault.WRONG_ID, "no answer in time"),
        (Fault.WRONG_QUESTION, "no answer in time"),
        (Fault.GARBAGE, "no answer in time"),
        (Fault.TRUNCATE_ALWAYS, "truncated over TCP"),
        (Fault.TCP_CLOSES, "EOFError"),
        (Fault.TCP_DRIPS, "no answer in time"),
    ],
)
def test_a_server_at_fault_is_a_temporary_failure(server: DnsServer, fault: Fault, reason: str):
    server.zone["remote.test"] = {"MX": [(10, "mx.remote.test")], **HOST}
    server.faults["remote.test"] = fault
    for asked in (_resolver(server).mx("remote.test"), _resolver(server).addresses("remote.test")):
        failure = _failure(asked)
        assert failure.is_temporary
        assert failure.reason == reason


def test_a_truncated_answer_is_asked_again_over_tcp(server: DnsServer):
    server.zone["remote.test"] = {"MX": [(10, "mx.remote.test")]}
    server.faults["remote.test"] = Fault.TRUNCATE
    assert _run(_resolver(server).mx("remote.test")) == [(10, "mx.remote.test")]
    assert [query.transport for query in server.queries] == ["udp", "tcp"]


def test_an_answer_too_large_for_udp_comes_over_tcp_and_is_cut(server: DnsServer):
    records = [(number, f"mx{number}.remote.test") for number in range(300)]
    server.zone["remote.test"] = {"MX": records}
    found = _run(_resolver(server).mx("remote.test"))
    assert len(found) == 100
    assert set(found) <= set(records)


def test_a_forged_answer_before_the_right_one_is_not_believed(server: DnsServer):
    server.zone["remote.test"] = {"MX": [(10, "mx.remote.test")]}
    server.faults["remote.test"] = Fault.FORGED_FIRST
    assert _run(_resolver(server).mx("remote.test")) == [(10, "mx.remote.test")]


def test_the_next_server_is_asked_when_one_does_not_answer(server: DnsServer):
    server.zone["remote.test"] = {"MX": [(10, "mx.remote.test")]}
    with DnsServer(faults={"remote.test": Fault.DROP}) as silent:
        assert _run(_resolver(silent, server).mx("remote.test")) == [(10, "mx.remote.test")]
        assert silent.count("remote.test") == 1


def test_a_server_that_fails_leaves_the_word_to_the_next(server: DnsServer):
    server.zone["remote.test"] = {"MX": [(10, "mx.remote.test")]}
    with DnsServer(faults={"remote.test": Fault.SERVFAIL}) as failing:
        assert _run(_resolver(failing, server).mx("remote.test")) == [(10, "mx.remote.test")]


def test_a_server_that_does_not_run_is_a_temporary_failure():
    with socket.socket(type=socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        resolver = DnsResolver(
            servers=[deaf.getsockname()], query_timeout_s=0.1, lookup_timeout_s=0.2
        )
        assert _failure(resolver.mx("remote.test")).is_temporary


def test_cname_is_followed_up_to_the_limit(server: DnsServer):
    server.zone |= _chain(CNAME_LIMIT)
    assert _run(_resolver(server).mx("c0.test")) == [(10, "mx.test")]
    assert len(_run(_resolver(server).addresses("c0.test"))) == 2


@pytest.mark.parametrize("length", [CNAME_LIMIT + 1, 18])
def test_a_longer_chain_is_a_temporary_failure(server: DnsServer, length: int):
    server.zone |= _chain(length)
    assert _failure(_resolver(server).mx("c0.test")).is_temporary


@pytest.mark.parametrize("is_chased", [True, False])
def test_a_cname_loop_ends(server: DnsServer, is_chased: bool):
    server.zone |= {"a.test": {"CNAME": ["b.test"]}, "b.test": {"CNAME": ["a.test"]}}
    if not is_chased:
        server.faults |= {"a.test": Fault.UNCHASED, "b.test": Fault.UNCHASED}
    assert _failure(_resolver(server).mx("a.test")).is_temporary
    assert len(server.queries) <= CNAME_LIMIT + 1


def test_a_name_that_is_its_own_alias_ends(server: DnsServer):
    server.zone["a.test"] = {"CNAME": ["a.test"]}
    assert _failure(_resolver(server).addresses("a.test")).is_temporary


def test_the_target_of_a_cname_is_asked_for_where_the_server_left_it_out(server: DnsServer):
    server.zone |= _chain(3)
    server.faults |= {f"c{number}.test": Fault.UNCHASED for number in range(3)}
    assert _run(_resolver(server).mx("c0.test")) == [(10, "mx.test")]


def test_an_alias_of_a_name_that_does_not_exist_does_not_exist(server: DnsServer):
    server.zone["a.test"] = {"CNAME": ["no.test"]}
    assert isinstance(_failure(_resolver(server).mx("a.test")), NoSuchDomain)


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.SERVFAIL, Fault.NXDOMAIN])
def test_one_family_is_enough_when_the_other_has_no_answer(server: DnsServer, fault: Fault):
    server.zone["mx.test"] = HOST
    server.faults["mx.test", "AAAA"] = fault
    assert _run(_resolver(server).addresses("mx.test")) == ["192.0.2.1"]


def test_no_address_in_one_family_and_no_answer_in_the_other_is_temporary(server: DnsServer):
    server.zone["mx.test"] = {"A": ["192.0.2.1"], "TXT": ["x"]}
    server.faults["mx.test", "A"] = Fault.SERVFAIL
    assert _failure(_resolver(server).addresses("mx.test")).is_temporary


def test_addresses_of_one_family_do_not_wait_long_for_the_other(server: DnsServer):
    server.zone["mx.test"] = HOST
    server.faults["mx.test", "AAAA"] = Fault.DROP
    resolver = DnsResolver(servers=[server.address], query_timeout_s=0.1, lookup_timeout_s=3_600)

    async def in_a_minute() -> list[str]:
        async with asyncio.timeout(60):
            return list(await resolver.addresses("mx.test"))

    assert _run(in_a_minute()) == ["192.0.2.1"]


def test_without_an_address_the_slower_family_has_all_the_time(server: DnsServer):
    server.zone["mx.test"] = {"AAAA": ["2001:db8::1"]}
    server.faults["mx.test", "AAAA"] = Fault.DROP_TWICE
    resolver = DnsResolver(servers=[server.address], query_timeout_s=0.1, lookup_timeout_s=30)
    assert _run(resolver.addresses("mx.test")) == ["2001:db8::1"]


def test_an_answer_is_kept_for_its_ttl(server: DnsServer):
    seconds = Seconds()
    resolver = _resolver(server, clock=seconds)
    server.zone["remote.test"] = {"MX": [(10, "old.test")]}
    server.ttl_s = 60
    assert _run(resolver.mx("remote.test")) == [(10, "old.test")]
    server.zone["remote.test"] = {"MX": [(10, "new.test")]}
    seconds.now += 59
    assert _run(resolver.mx("REMOTE.test")) == [(10, "old.test")]
    seconds.now += 1
    assert _run(resolver.mx("remote.test")) == [(10, "new.test")]
    assert server.count("remote.test") == 2


def test_a_long_ttl_counts_as_an_hour(server: DnsServer):
    seconds = Seconds()
    resolver = _resolver(server, clock=seconds)
    server.zone["mx.test"] = HOST
    server.ttl_s = 2**31 - 1
    _run(resolver.addresses("mx.test"))
    seconds.now += 3_601
    _run(resolver.addresses("mx.test"))
    assert server.count("mx.test", "A") == 2


def test_that_a_name_does_not_exist_is_kept_for_minutes_at_most(server: DnsServer):
    seconds = Seconds()
    resolver = _resolver(server, clock=seconds)
    server.ttl_s = 86_400
    for _ in range(2):
        assert isinstance(_failure(resolver.mx("no.test")), NoSuchDomain)
    assert server.count("no.test") == 1
    server.zone["no.test"] = {"MX": [(10, "mx.test")]}
    seconds.now += 301
    assert _run(resolver.mx("no.test")) == [(10, "mx.test")]


def test_that_a_name_has_no_mx_is_kept_for_minutes_at_most(server: DnsServer):
    seconds = Seconds()
    resolver = _resolver(server, clock=seconds)
    server.ttl_s = 86_400
    server.zone["remote.test"] = {"A": ["192.0.2.1"]}
    assert _run(resolver.mx("remote.test")) == _run(resolver.mx("remote.test")) == []
    assert server.count("remote.test") == 1
    server.zone["remote.test"] = {"MX": [(10, "mx.test")]}
    seconds.now += 301
    assert _run(resolver.mx("remote.test")) == [(10, "mx.test")]


def test_a_failure_is_not_kept(server: DnsServer):
    resolver = _resolver(server)
    server.zone["remote.test"] = {"MX": [(10, "mx.test")]}
    server.ttl_s = 60
    server.faults["remote.test"] = Fault.SERVFAIL
    assert _failure(resolver.mx("remote.test")).is_temporary
    del server.faults["remote.test"]
    assert _run(resolver.mx("remote.test")) == [(10, "mx.test")]


def test_half_an_answer_is_kept_for_a_minute_at_most(server: DnsServer):
    seconds = Seconds()
    resolver = _resolver(server, clock=seconds)
    server.zone["mx.test"] = HOST
    server.ttl_s = 3_000
    server.faults["mx.test", "AAAA"] = Fault.SERVFAIL
    assert _run(resolver.addresses("mx.test")) == ["192.0.2.1"]
    del server.faults["mx.test", "AAAA"]
    assert _run(resolver.addresses("mx.test")) == ["192.0.2.1"]
    seconds.now += 61
    assert len(_run(resolver.addresses("mx.test"))) == 2


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64 + ".test", "a b.test", "ü" * 64])
def test_a_text_that_is_no_name_is_permanently_unknown_and_not_asked(server: DnsServer, name: str):
    assert isinstance(_failure(_resolver(server).mx(name)), NoSuchDomain)
    assert server.queries == []


def test_a_name_with_other_letters_is_asked_for_by_its_a_labels(server: DnsServer):
    server.zone["xn--bcher-kva.test"] = {"MX": [(10, "mx.test")]}
    assert _run(_resolver(server).mx("bücher.test")) == [(10, "mx.test")]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300) | st.from_regex(r"[a-z0-9.\-\\_\[\]@]{0,300}", fullmatch=True))
def test_no_name_raises_anything_else(server: DnsServer, name: str):
    assert not _failure(_resolver(server, query_timeout_s=5).mx(name)).is_temporary


def test_a_server_must_be_an_address():
    with pytest.raises(ValueError, match="does not appear to be"):
        DnsResolver(servers=[("dns.test", 53)])


def test_it_runs_on_uvloop(server: DnsServer):
    server.zone["remote.test"] = {"MX": [(10, "mx.remote.test")]}
    server.faults["remote.test"] = Fault.TRUNCATE
    found = uvloop.run(_resolver(server).mx("remote.test"))
    assert list(found) == [(10, "mx.remote.test")]


def test_a_lookup_that_is_cancelled_leaves_nothing_behind(server: DnsServer):
    server.faults["mx.test"] = Fault.DROP

    async def give_up() -> set[asyncio.Task[Any]]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await _resolver(server).addresses("mx.test")
        await asyncio.sleep(0)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(give_up()) == set()
