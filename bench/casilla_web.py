"""Casilla's webmail under test: gunicorn as `manage.py serve` runs it, a mailbox of many messages.

No derive worker while it is measured, but where a job is: what is there was derived when the
mailbox was filled.
"""

from __future__ import annotations

import html
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from urllib.parse import quote

from bench.errands import Step
from bench.installation import Installation
from bench.mailbox import COMMON, PEOPLE, PHRASE, RARE, received_at
from bench.server import DOMAIN
from bench.visitor import Answer, Visitor, hidden
from tests.support.servers import Cluster, free_port, wait_for_port

_ADDRESS = f"bench@{DOMAIN}"
_PASSWORD = "bench-password-of-nobody"  # noqa: S105 - of a mailbox that lives for a bench
_SET_UP = f"""
from django.core.management import call_command
from mailcore.directory import users
call_command("create_domain", "{DOMAIN}")
call_command("create_mailbox", "{_ADDRESS}")
users.set_password(login="{_ADDRESS}", password="{_PASSWORD}")
from bench.filling import fill
fill(count={{count}}, address="{_ADDRESS}")
"""
_FRAME = {"Sec-Fetch-Dest": "iframe"}
_FRAGMENT = {"HX-Request": "true", "HX-Target": "reading"}


class CasillaWeb:
    """Casilla in `directory` with `count` messages; with a cluster on PostgreSQL."""

    def __init__(self, directory: Path, *, count: int, cluster: Cluster | None = None) -> None:
        self._port = free_port()
        site = f"http://127.0.0.1:{self._port}"
        settings = {"PUBLIC_URL": site, "ALLOWED_HOSTS": "127.0.0.1", "REDIS_URL": ""}
        self._installation = Installation(directory, cluster=cluster, settings=settings)
        self._count = count
        self._chance = random.Random(1)  # noqa: S311 - which message, not a secret
        self._visitor = Visitor(self._port)
        self._inbox = ""
        self.name = f"Casilla, {self._installation.database}"

    def start(self) -> None:
        """Make, fill and derive unless that was done; then start the web server and sign in."""
        if not self._installation.reopen(contents=f"{self._count} messages"):
            self._installation.create()
            shell = ("shell", "--verbosity", "0", "--command")
            self._installation.manage(*shell, _SET_UP.format(count=self._count))
            self._installation.manage("derive", "--once")
            self._installation.finish(contents=f"{self._count} messages")
        self._installation.manage("build_assets", "--verbosity", "0")
        self._installation.execute(
            "web",
            *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--worker-class", "asgi"),
            *("--asgi-lifespan", "off", "--workers", "1", "--log-level", "warning"),
            *("--bind", f"127.0.0.1:{self._port}", "webmail.asgi:application"),
        )
        wait_for_port(self._port, seconds=30)
        self._sign_in()

    def stop(self) -> None:
        """Stop the web server, then its database."""
        self._visitor.close()
        self._installation.stop()

    def _sign_in(self) -> None:
        page = self._visitor.get("/login/").text
        form = {
            "csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken"),
            "login": _ADDRESS,
            "password": _PASSWORD,
        }
        self._visitor.post("/login/", form)
        answer = self._visitor.get("/mail/")
        found = re.search(r'href="(/mail/[0-9a-f-]{36}/[0-9a-f-]{36}/)"', answer.text)
        if not found:
            raise LookupError("no inbox after signing in")
        self._inbox = found.group(1)

    def errands(self) -> Mapping[str, Iterator[Step]]:
        """See `errands.Reader`."""
        searches = {
            "rare word": RARE,
            "common word": COMMON,
            "phrase": f'"{PHRASE}"',
            "prefix": COMMON[:4] + "*",
            "operators only": "is:unread has:attachment",
        }
        return {
            "list by date": self._again(lambda: self._inbox),
            "list by conversation": self._again(lambda: self._inbox),
            "list, deep page": self._again(self._deep_page),
            "open a message": self._openings(),
            **{
                f"search: {name}": self._again(partial(self._search, query))
                for name, query in searches.items()
            },
            "people to write to": self._again(self._people),
            "move 10,000": self._moves(),
        }

    def _again(self, path: Callable[[], str]) -> Iterator[Step]:
        while True:
            yield lambda: self._visitor.get(path())

    def _deep_page(self) -> str:
        depth = self._chance.randrange(self._count * 4 // 10, self._count * 6 // 10)
        micros = round(received_at(depth).timestamp() * 1_000_000)
        return f"{self._inbox}?after={micros:x}.{2**40:x}"

    def _openings(self) -> Iterator[Step]:
        while True:
            page = self._visitor.get(self._deep_page()).text
            for link in re.findall(r'hx-get="([^"]*/t/[^"]*)"', page)[:5]:
                yield partial(self._open, html.unescape(link))

    def _open(self, path: str) -> Answer:
        """Ask for the conversation and for the frame of its open message."""
        page = self._visitor.get(path, _FRAGMENT)
        frames = re.findall(r'src="([^"]*/body/[^"]*)"', page.text)
        body = self._visitor.get(html.unescape(frames[-1]), _FRAME)
        return Answer(200, body.text, page.octets + body.octets, page.took_ms + body.took_ms, "")

    def _search(self, query: str) -> str:
        box = self._inbox.split("/")[2]
        return f"/mail/{box}/search/?q={quote(query)}"

    def _moves(self) -> Iterator[Step]:
        """To Trash and back again, with the worker that does what is asked for a whole list."""
        self._installation.run("derive")
        for role, verb in cycle((("archive", "trash"), ("trash", "archive"))):
            yield partial(self._move, role, verb)

    def _move(self, role: str, verb: str) -> Answer:
        """Move a whole folder; done when the page that follows the job says so."""
        rail = re.findall(r"<a [^>]*>", self._visitor.get(self._inbox).text)
        tag = next(link for link in rail if f'data-role="{role}"' in link)
        path = tag.partition('href="')[2].partition('"')[0]
        page = self._visitor.get(path).text
        form = {
            "csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken"),
            "list": f"in={path.split('/')[3]}",
            "next": path,
            verb: "all",
        }
        begun = time.perf_counter()
        answer = self._visitor.post(f"/mail/{path.split('/')[2]}/act/", form)
        while found := re.search(r'data-job="([^"]+)"', answer.text):
            time.sleep(0.02)
            answer = self._visitor.get(found.group(1), {"HX-Request": "true"})
        return replace(answer, took_ms=(time.perf_counter() - begun) * 1000)

    def _people(self) -> str:
        name, _ = self._chance.choice(PEOPLE)
        return f"/mail/{self._inbox.split('/')[2]}/people/?q={quote(name[:3])}"
