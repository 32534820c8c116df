"""fetch.get: what it brings, and all that makes it refuse before or after a connection."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import replace

import pytest

from mailcore.fetch.get import Rules, get
from mailcore.fetch.target import FetchFailed
from tests.support.canary import Canary, Names, ok, redirect

LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)
PUBLIC = "8.8.8.8"


@pytest.fixture
def canary():
    with Canary() as running:
        yield running


def fetch(
    canary: Canary, path: str = "/a", *, host: str = "img.test", names=None, **rules
) -> bytes:
    """Fetch from the canary as if it were a public server."""
    names = names or Names(img_test=[["127.0.0.1"]])
    known = replace(Rules(allow=LOOPBACK, ports=(80, 443, canary.port)), **rules)
    url = f"http://{host}:{canary.port}{path}"
    return asyncio.run(get(url, resolve=names, rules=known))


def refusal(url: str, *, names: Names | None = None, port: int = 80) -> str:
    """Return why a fetch under the real rules (but for the port) was refused."""
    rules = Rules(ports=(80, 443, port))
    with pytest.raises(FetchFailed) as caught:
        asyncio.run(get(url, resolve=names or Names(), rules=rules))
    return caught.value.reason


def test_a_file_is_brought_without_cookie_referrer_or_coding(canary):
    canary.answers["/a?x=%C3%B1"] = ok(b"octets", "Set-Cookie: a=b")
    assert fetch(canary, "/a?x=ñ") == b"octets"
    fields = {line.split(":")[0].lower() for line in canary.requests[0][1:]}
    assert fields == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert f"Host: img.test:{canary.port}" in canary.requests[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\noctets\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\noctets",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\noctets",
    ],
)
def test_bodies_end_as_http_says(canary, answer):
    canary.answers["/a"] = answer
    assert fetch(canary) == b"octets"


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 302 Found\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_plain_answer_is_refused(canary, answer):
    canary.answers["/a"] = answer
    with pytest.raises(FetchFailed):
        fetch(canary)


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"x" * 101),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
        + b"x" * 101
        + b"\r\n0\r\n\r\n",
    ],
)
def test_what_is_too_long_is_refused_however_it_is_framed(canary, answer):
    canary.answers["/a"] = answer
    with pytest.raises(FetchFailed) as caught:
        fetch(canary, max_bytes=100)
    assert caught.value.reason == "size"


def test_three_redirects_are_followed_and_no_fourth(canary):
    for hop in range(4):
        canary.answers[f"/{hop}"] = redirect(f"/{hop + 1}")
    canary.answers["/4"] = ok(b"end")
    assert fetch(canary, "/1") == b"end"
    with pytest.raises(FetchFailed) as caught:
        fetch(canary, "/0")
    assert caught.value.reason == "redirects"


def test_a_server_that_says_nothing_is_given_up(canary):
    canary.answers["/a"] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    with pytest.raises(FetchFailed) as caught:
        asyncio.run(
            get(
                f"http://img.test:{canary.port}/a",
                resolve=_never,
                rules=Rules(allow=LOOPBACK, ports=(canary.port,), timeout_s=0.05),
            )
        )
    assert caught.value.reason == "time"


async def _never(name: str) -> list[str]:
    await asyncio.sleep(60)
    return []


HOSTS = [
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
    "017700000001", "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "0", "１２７.0.0.1", "①②⑦.0.0.1",
    "127。0。0。1",
    "a.test@127.0.0.1", "127.0.0.1%2eexample.com", "127.0.0.1%00.example.com", "[fe80::1%25lo]",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_no_way_of_writing_loopback_reaches_it(canary, host):
    refusal(f"http://{host}:{canary.port}/a", port=canary.port)
    assert canary.connections == 0


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1", "fc00::1"],
)
def test_a_name_that_leads_inside_is_refused(canary, ip):
    url = f"http://127.0.0.1.nip.test:{canary.port}/a"
    names = Names(**{"127_0_0_1_nip_test": [[ip]]})
    assert refusal(url, names=names, port=canary.port) == "address"
    assert canary.connections == 0


def test_a_name_that_also_leads_inside_is_refused_whole(canary):
    names = Names(img_test=[[PUBLIC, "127.0.0.1"]])
    assert refusal(f"http://img.test:{canary.port}/a", names=names, port=canary.port) == "address"
    assert canary.connections == 0


def test_a_name_is_looked_up_once_for_a_hop_so_it_cannot_change_its_mind(canary):
    canary.answers["/a"] = ok(b"octets")
    names = Names(img_test=[["127.0.0.1"], ["10.0.0.1"]])
    assert fetch(canary, names=names) == b"octets"
    assert names.asked == ["img.test"]


def test_a_redirect_is_looked_up_and_checked_again(canary):
    canary.answers["/a"] = redirect("/b")
    names = Names(img_test=[["127.0.0.1"], ["10.0.0.1"]])
    with pytest.raises(FetchFailed) as caught:
        fetch(canary, names=names)
    assert caught.value.reason == "address"
    assert canary.connections == 1


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "address"),
        ("http://[::ffff:169.254.169.254]/", "address"),
        ("http://0xa9fea9fe/", "host"),
        ("//10.0.0.1/", "address"),
        ("http://127.0.0.1:22/", "port"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://img.test/", "scheme"),
        ("gopher://img.test/", "scheme"),
        ("http://a@img.test/", "url"),
        ("http://img.test/\tx", "url"),
    ],
)
def test_a_redirect_does_not_lead_where_an_address_may_not(canary, location, reason):
    canary.answers["/a"] = redirect(location)
    with pytest.raises(FetchFailed) as caught:
        fetch(canary)
    assert caught.value.reason == reason
    assert canary.connections == 1


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "javascript:alert(1)", "data:image/png;base64,AA", "file:///etc/passwd",
        "http://", "http:///x", "http://img.test:99999/", "http://img.test:0/", "http://img.test:22/",
        "http://img.test:8080/", "https://img.test:25/", "http://a b/", "http://a\\b/", "http://[x/",
        "http://user:pass@img.test/", "http://img.test/" + "x" * 2100, "http://-/", "http://a..b/",
        "http://img.test\r\nX: y/", "http://img.test/\r\nX: y", "http://[v1.x]/", "http://test/",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_before_any_lookup(url):
    names = Names()
    refusal(url, names=names)
    assert names.asked == []
