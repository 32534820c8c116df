"""A DNS server on loopback, UDP and TCP on one port, with a zone from a dict and faults by name.

    zone = {"remote.test": {"MX": [(10, "mx.remote.test")]}, "mx.remote.test": {"A": ["127.0.0.1"]}}
    with DnsServer(zone) as server:
        resolver = DnsResolver(servers=[server.address])
        server.faults["remote.test"] = Fault.SERVFAIL

Answers like a recursive server: it follows CNAME inside the zone, loops included. A name outside
the zone is NXDOMAIN. Zone and faults may change while it runs; TTL 0, so nothing is remembered.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[str, Sequence[Any]]
_CHASED = 20
_UDP_OCTETS = 512


class Fault(enum.Enum):
    """What a server does instead of giving the zone's answer."""

    SERVFAIL = "SERVFAIL"
    REFUSED = "REFUSED"
    NXDOMAIN = "NXDOMAIN"
    DROP = "no answer at all"
    DROP_TWICE = "no answer to the first two questions of a type"
    TRUNCATE = "TC and no records over UDP, everything over TCP"
    TRUNCATE_ALWAYS = "TC over TCP, too"
    TCP_CLOSES = "TC over UDP, TCP ends without an answer"
    TCP_DRIPS = "TC over UDP, one octet a second over TCP"
    WRONG_ID = "the right answer under another identifier"
    WRONG_QUESTION = "the right answer to another question"
    GARBAGE = "octets that are no message"
    FORGED_FIRST = "a lie under another identifier, then the right answer"
    UNCHASED = "a CNAME without the records of its target"


class Query(NamedTuple):
    """One question that came: a name without final dot, `MX`, `A` or `AAAA`, `udp` or `tcp`."""

    name: str
    kind: str
    transport: str


class DnsServer:
    """Runs in a thread between `with` and its end. `queries` has every question that came.

    Keys of `zone` are names in lower case. Values map a record type to its data: `MX` to pairs,
    `A`, `AAAA` and `TXT` to texts, `CNAME` to one target in a list. Keys of `faults` are names, or
    a name and a type such as `("remote.test", "AAAA")`.
    """

    def __init__(
        self,
        zone: Mapping[str, Records] | None = None,
        *,
        faults: Mapping[str | tuple[str, str], Fault] | None = None,
        ttl_s: int = 0,
    ) -> None:
        self.zone: dict[str, Records] = dict(zone or {})
        self.faults: dict[str | tuple[str, str], Fault] = dict(faults or {})
        self.ttl_s = ttl_s
        self.host = "127.0.0.1"
        self.port = 0
        self.queries: list[Query] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dns server", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Return what `DnsResolver(servers=[...])` takes."""
        return self.host, self.port

    @property
    def setting(self) -> str:
        """Return the server as DNS_SERVERS has it."""
        return f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10) or not self.port:
            raise RuntimeError("the DNS server does not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def count(self, name: str, kind: str = "MX") -> int:
        """Return how often a question came, over UDP and TCP."""
        return sum(query[:2] == (name, kind) for query in self.queries)

    def _run(self) -> None:
        try:
            listener = self._loop.run_until_complete(self._listen())
            self._ready.set()
            self._loop.run_forever()
            self._loop.run_until_complete(self._close(listener))
        finally:
            self._ready.set()
            self._loop.close()

    async def _listen(self) -> asyncio.Server:
        """Take one free port for both transports. Raises OSError after some tries."""
        for _ in range(20):
            listener = await asyncio.start_server(self._serve_tcp, self.host, 0)
            port = listener.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await self._loop.create_datagram_endpoint(
                    lambda: _Udp(self), local_addr=(self.host, port)
                )
            except OSError:
                listener.close()
                continue
            self.port = port
            return listener
        raise OSError("no port is free for both UDP and TCP")

    async def _close(self, listener: asyncio.Server) -> None:
        self._udp.close()
        listener.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError)
        with contextlib.suppress(*ends):
            while True:
                length = int.from_bytes(await reader.readexactly(2), "big")
                query = dns.message.from_wire(await reader.readexactly(length))
                if self._fault(query) is Fault.TCP_CLOSES:
                    break
                for answer in self.answers(query, "tcp"):
                    framed = len(answer).to_bytes(2, "big") + answer
                    await _write(writer, framed, drips=self._fault(query) is Fault.TCP_DRIPS)
        writer.close()

    def answers(self, query: dns.message.Message, transport: str) -> list[bytes]:
        """Return the messages that answer one query, in order."""
        name, kind = _asked(query)
        self.queries.append(Query(name, kind, transport))
        fault = self._fault(query)
        answer = self._answer(query, chases=fault is not Fault.UNCHASED)
        if fault in {Fault.SERVFAIL, Fault.REFUSED, Fault.NXDOMAIN}:
            return [_without_records(query, rcode=dns.rcode.from_text(fault.value))]
        if fault in _CUT_SHORT and (transport == "udp" or fault is Fault.TRUNCATE_ALWAYS):
            return [_without_records(query, flags=dns.flags.TC)]
        if fault is Fault.DROP or (fault is Fault.DROP_TWICE and self.count(name, kind) <= 2):
            return []
        if fault is Fault.GARBAGE:
            return [query.to_wire()[:2] + b"\xff" * 40]
        if fault is Fault.WRONG_ID:
            return [_other_id(answer)]
        if fault is Fault.WRONG_QUESTION:
            return [self._answer(_other_question(query))]
        if transport == "udp" and len(answer) > _UDP_OCTETS:
            return [_without_records(query, flags=dns.flags.TC)]
        if fault is Fault.FORGED_FIRST:
            return [_other_id(_lie(query)), answer]
        return [answer]

    def _fault(self, query: dns.message.Message) -> Fault | None:
        name, kind = _asked(query)
        return self.faults.get((name, kind)) or self.faults.get(name)

    def _answer(self, query: dns.message.Message, *, chases: bool = True) -> bytes:
        name, kind = _asked(query)
        response = _response(query)
        seen: set[str] = set()
        while name not in seen and len(seen) < _CHASED:
            seen.add(name)
            records = self.zone.get(name)
            if records is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                break
            alias = next(iter(records.get("CNAME", ())), "")
            if not alias:
                self._add(response, name, kind, records.get(kind, ()))
                break
            self._add(response, name, "CNAME", [alias])
            name = alias if chases else name
        if not any(each.rdtype == response.question[0].rdtype for each in response.answer):
            response.authority.append(_soa(self.ttl_s))
        return response.to_wire(max_size=65_535)

    def _add(
        self, response: dns.message.Message, name: str, kind: str, records: Sequence[Any]
    ) -> None:
        texts = [_text(kind, record) for record in records]
        if texts:
            response.answer.append(dns.rrset.from_text(f"{name}.", self.ttl_s, "IN", kind, *texts))


_CUT_SHORT = {Fault.TRUNCATE, Fault.TRUNCATE_ALWAYS, Fault.TCP_CLOSES, Fault.TCP_DRIPS}


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for answer in self._server.answers(dns.message.from_wire(data), "udp"):
            self._transport.sendto(answer, addr)


async def _write(writer: asyncio.StreamWriter, octets: bytes, *, drips: bool) -> None:
    while drips and octets:
        writer.write(octets[:1])
        octets = octets[1:]
        await asyncio.sleep(1)
    writer.write(octets)
    await writer.drain()


def _asked(query: dns.message.Message) -> tuple[str, str]:
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    return name, dns.rdatatype.to_text(question.rdtype)


def _response(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    return response


def _without_records(
    query: dns.message.Message, *, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, flags: int = 0
) -> bytes:
    response = _response(query)
    response.set_rcode(rcode)
    response.flags |= flags
    response.authority.append(_soa(0))
    return response.to_wire()


def _other_id(wire: bytes) -> bytes:
    return bytes([wire[0] ^ 0x55]) + wire[1:]


def _other_question(query: dns.message.Message) -> dns.message.Message:
    other = dns.message.make_query("elsewhere.test.", query.question[0].rdtype)
    other.id = query.id
    return other


def _lie(query: dns.message.Message) -> bytes:
    return _without_records(query, rcode=dns.rcode.NXDOMAIN)


def _soa(ttl_s: int) -> dns.rrset.RRset:
    return dns.rrset.from_text(".", ttl_s, "IN", "SOA", f"ns. admin. 1 3600 600 86400 {ttl_s}")


def _text(kind: str, record: Any) -> str:
    if kind == "MX":
        preference, host = record
        return f"{preference} {host.removesuffix('.')}."
    return f"{record}." if kind == "CNAME" else str(record)
