"""A person with a browser without scripts: HTTPS to the published port, cookies, forms.

The name of the server is not in any DNS: it is said in TLS and in Host. The certificate must be
one that the proxy's own authority signed for that name.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from html import unescape
from urllib.parse import urlencode, urljoin, urlsplit

_FIELD = re.compile(r"<input[^>]*>")
_NAME, _VALUE = re.compile(r'name="([^"]+)"'), re.compile(r'value="([^"]*)"')
_AREA = re.compile(r'<textarea[^>]*name="(\w+)"[^>]*>\n?(.*?)</textarea>', re.S)


class Person:
    """Keeps cookies and the page of the moment."""

    def __init__(self, hostname: str, *, authority: str) -> None:
        """`authority` is the certificate (PEM) that must have signed the server's."""
        self._hostname = hostname
        self._tls = ssl.create_default_context(cadata=authority)
        self._cookies: dict[str, str] = {}
        self.path = "/"
        self.status = 0
        self.page = ""

    def get(self, path: str) -> str:
        """Open a page, and what it leads to."""
        return self._ask("GET", urljoin(self.path, path), None)

    def submit(self, *, form: str = "<form", **values: str) -> str:
        """Send the first form of the page that begins like `form`, as filled in."""
        begin = self.page.index(form)
        body = self.page[begin : self.page.index("</form>", begin)]
        action = re.search(r'action="([^"]*)"', body.partition(">")[0])
        fields = _fields(body) | values
        target = urljoin(self.path, unescape(action[1]) if action else "")
        return self._ask("POST", target, urlencode(fields))

    def _ask(self, method: str, target: str, body: str | None) -> str:
        for _ in range(5):
            location = self._once(method, target, body)
            if not location:
                assert self.status == 200, f"{method} {target}: {self.status} {self.page[:300]}"
                return self.page
            method, target, body = "GET", urljoin(target, location), None
        raise AssertionError(f"leads nowhere: {target}")

    def _once(self, method: str, target: str, body: str | None) -> str:
        """Ask once; keep page and cookies; return where it leads, '' nowhere."""
        parts = urlsplit(target)
        self.path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Host": self._hostname,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "Referer": f"https://{self._hostname}/",
            "Accept-Language": "en",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPSConnection(self._hostname, 443, timeout=30)
        line = socket.create_connection(("127.0.0.1", 443), timeout=30)
        connection.sock = self._tls.wrap_socket(line, server_hostname=self._hostname)
        connection.request(method, self.path, body, headers)
        answer = connection.getresponse()
        self.page = answer.read().decode(errors="replace")
        self.status = answer.status
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        connection.close()
        return answer.headers.get("Location") or ""


def _fields(body: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in _FIELD.findall(body):
        name, value = _NAME.search(tag), _VALUE.search(tag)
        is_off = 'type="file"' in tag or ('type="checkbox"' in tag and "checked" not in tag)
        if name and not is_off:
            found[name[1]] = unescape(value[1]) if value else ""
    for name_, text in _AREA.findall(body):
        found[name_] = unescape(text)
    found.pop("html", None)  # the rich editor's, switched off without scripts
    return found
