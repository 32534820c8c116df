"""The dialler: which addresses it connects to, and that it never resolves a name."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest

from mailcore.dial import Forbidden, _is_ours, check, connect

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fec0::1", "ff02::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
        "2001:0:1::1", "100::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_global_are_refused(ip):
    with pytest.raises(Forbidden) as caught:
        check(ip)
    assert caught.value.ip == ip


@pytest.mark.parametrize(
    "ip", ["8.8.8.8", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_global_addresses_pass(ip):
    check(ip)


@pytest.mark.parametrize("ip", ["", "localhost", "example.com", "127.1", "0x7f000001", "8.8.8.8 "])
def test_what_is_no_address_is_refused_and_not_resolved(ip):
    with pytest.raises(Forbidden):
        check(ip, LOOPBACK)


def test_listed_networks_pass_also_inside_ipv6():
    check("127.0.0.1", LOOPBACK)
    check("::ffff:127.0.0.1", LOOPBACK)
    with pytest.raises(Forbidden):
        check("10.0.0.1", LOOPBACK)


def test_an_address_of_this_host_is_known():
    assert _is_ours(ipaddress.ip_address("127.0.0.1"))
    assert not _is_ours(ipaddress.ip_address("8.8.8.8"))


def test_connect_refuses_before_a_packet_leaves_and_connects_when_listed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]

        async def dial(allow):
            transport, protocol = await connect(
                asyncio.Protocol, ip="127.0.0.1", port=port, allow=allow, timeout_s=5
            )
            assert isinstance(protocol, asyncio.Protocol)
            transport.abort()

        with pytest.raises(Forbidden):
            asyncio.run(dial(()))
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
        server.settimeout(5)
        asyncio.run(dial(LOOPBACK))
        server.accept()[0].close()


def test_a_host_that_does_not_answer_ends_in_a_timeout():
    # A full backlog: the kernel lets further connections wait.
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(server.getsockname())

        async def dial():
            await connect(
                asyncio.Protocol,
                ip="127.0.0.1",
                port=server.getsockname()[1],
                allow=LOOPBACK,
                timeout_s=0.3,
            )

        with pytest.raises(TimeoutError):
            asyncio.run(dial())
