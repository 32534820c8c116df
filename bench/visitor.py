"""A person's browser as the bench sees it: one kept connection, cookies, gzip, no scripts.

Reads the whole answer; what a page would fetch besides is fetched by whoever asks for it.
"""

from __future__ import annotations

import gzip
import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin, urlsplit

_REDIRECTS_MAX = 4


class RefusedError(Exception):
    """A page did not come with 200."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: `octets` as sent, `text` decoded, `took_ms` from the request to the last octet."""

    status: int
    text: str
    octets: int
    took_ms: float
    location: str


class Visitor:
    """Keeps one connection to a site and its cookies."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return a page, after redirects. Raises RefusedError unless it is a 200."""
        return self._follow(path, self._ask("GET", path, headers or {}))

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Send a form and return what it leads to. Raises RefusedError unless a 200 comes of it."""
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._follow(path, self._ask("POST", path, fields, urlencode(form)))

    def _follow(self, path: str, answer: Answer) -> Answer:
        for _ in range(_REDIRECTS_MAX):
            if answer.status not in {302, 303}:
                break
            there = urlsplit(urljoin(path, answer.location))
            path = there._replace(scheme="", netloc="").geturl()
            answer = self._ask("GET", path, {})
        if answer.status != 200:
            raise RefusedError(f"{path}: {answer.status} {answer.text[:300]}")
        return answer

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: str | None = None
    ) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        sent = {"Accept-Encoding": "gzip", "Accept": "text/html", "Cookie": cookies, **headers}
        begun, response = self._send(method, path, body, sent)
        raw = response.read()
        took_ms = (time.perf_counter() - begun) * 1000
        self._keep(response.headers.get_all("Set-Cookie") or [])
        packed = response.headers.get("Content-Encoding") == "gzip"
        text = (gzip.decompress(raw) if packed else raw).decode(errors="replace")
        location = response.headers.get("Location", "")
        return Answer(response.status, text, len(raw), took_ms, location)

    def _send(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[float, http.client.HTTPResponse]:
        """Return when the request went out and its response; anew if the connection was closed."""
        for _ in range(2):
            begun = time.perf_counter()
            try:
                self._connection.request(method, path, body, headers)
                return begun, self._connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionError):
                self._connection.close()
        raise RefusedError(f"{path}: the server closes the connection")

    def _keep(self, fields: list[str]) -> None:
        for field in fields:
            name, _, value = field.partition(";")[0].partition("=")
            self._cookies[name] = value


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field. Raises LookupError."""
    for element in re.findall(r"<input[^>]*>", page):
        if f'name="{name}"' in element and (value := re.search(r'value="([^"]*)"', element)):
            return value.group(1)
    raise LookupError(name)
