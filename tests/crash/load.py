"""A bounded load of SMTP sessions that behave like an MTA: what got no 250 is sent again.

Connections are kept for a few messages or opened anew; some mails have two recipients, some have
no Message-ID, some are larger than a row. The octets of a mail never change between tries.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.crash.ledger import Ledger, Mail
from tests.crash.system import MAILBOXES

_SESSIONS = 6
_TIMEOUT_S = 40.0
_PAUSE_S = 0.1


class _Broken(Exception):  # noqa: N818 - named by what happened
    """The connection ended or the server said 4yz; the mail is sent again later."""


def compose(random: Random, *, marker: str, leads_to: Mapping[str, Sequence[str]]) -> Mail:
    """Return a mail to one or two of the addresses, which lead to mailboxes or away."""
    has_message_id = random.random() < 0.8
    paths = tuple(random.sample(sorted(leads_to), 2 if random.random() < 0.25 else 1))
    targets = dict.fromkeys(target for path in paths for target in leads_to[path])
    lines = [
        f"From: Load <load@sender.test>\r\nTo: {', '.join(paths)}",
        f"Subject: crash {marker}\r\nX-Marker: {marker}",
        *([f"Message-ID: <{marker}@sender.test>"] if has_message_id else []),
        "",
        f"..dot {marker}\r\n.\u0020dot\r\n",
    ]
    size = 20_000 if random.random() < 0.1 else random.randrange(100, 3000)
    octets = "\r\n".join(lines).encode() + random.randbytes(size // 2).hex().encode() + b"\r\n"
    return Mail(
        marker,
        octets,
        paths=paths,
        recipients=tuple(target for target in targets if target in MAILBOXES),
        away=tuple(target for target in targets if target not in MAILBOXES),
        has_message_id=has_message_id,
    )


@dataclass(slots=True)
class Connection:
    """One SMTP session on loopback. Raises OSError or _Broken."""

    ledger: Ledger
    socket: socket.socket
    buffer: bytes = b""

    def reply(self, to: str) -> int:
        """Return the code of the next reply; an end of the connection is _Broken."""
        while not (found := re.match(rb"(?:\d\d\d-[^\n]*\n)*(\d\d\d) [^\n]*\n", self.buffer)):
            octets = self.socket.recv(65536)
            if not octets:
                raise _Broken
            self.buffer += octets
        self.buffer = self.buffer[found.end() :]
        code = int(found[1])
        self.ledger.replied(code, found[0], to=to)
        return code

    def ask(self, line: str, *, wanted: int = 250) -> None:
        """Send a command. Raises _Broken for another reply than `wanted`."""
        self.socket.sendall(line.encode() + b"\r\n")
        if self.reply(line.split()[0]) != wanted:
            raise _Broken

    def send(self, mail: Mail) -> None:
        """Send a mail; it counts as acknowledged only for a 250 after the dot."""
        self.ask("MAIL FROM:<load@sender.test>")
        for path in mail.paths:
            self.ask(f"RCPT TO:<{path}>")
        self.ask("DATA", wanted=354)
        mail.unanswered += 1  # from here on nobody knows, until there is a 250
        stuffed = re.sub(rb"(?m)^\.", b"..", mail.octets)
        self.socket.sendall(stuffed + b".\r\n")
        try:
            code = self.reply("the dot")
        except (OSError, _Broken):
            self.ledger.cut_off += 1
            raise
        if code != 250:
            raise _Broken
        mail.unanswered -= 1
        self.ledger.acknowledge(mail, at=time.monotonic())


@dataclass
class Load:
    """The sessions of one round. New mails until `most` are made or `stop_making` is called."""

    port: int
    leads_to: Mapping[str, Sequence[str]]
    ledger: Ledger
    random: Random
    prefix: str
    most: int
    pause_s: float = _PAUSE_S  # a session waits up to half of it after each mail
    waiting: deque[Mail] = field(default_factory=deque)
    threads: list[threading.Thread] = field(default_factory=list)
    made: int = 0
    is_making: bool = True
    in_hand: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start the sessions."""
        for number in range(_SESSIONS):
            seeded = Random(self.random.random())
            thread = threading.Thread(target=self._run, args=(seeded,), name=f"load-{number}")
            self.threads.append(thread)
            thread.start()

    def drain(self, *, seconds: float) -> None:
        """Make no more; return when every mail has its 250 or after about `seconds`."""
        self.is_making = False
        end = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, end - time.monotonic()))
        self.in_hand = -1  # who is still there gives up
        for thread in self.threads:
            thread.join(_TIMEOUT_S + 5)

    def _next(self, random: Random) -> Mail | None:
        with self.lock:
            if self.waiting:
                self.in_hand += 1
                return self.waiting.popleft()
            if not self.is_making or self.made >= self.most:
                return None
            self.made += 1
            self.in_hand += 1
            marker = f"{self.prefix}-{self.made:05d}"
        mail = compose(random, marker=marker, leads_to=self.leads_to)
        self.ledger.add(mail)
        return mail

    def _done(self, mail: Mail) -> None:
        with self.lock:
            if self.in_hand < 0:
                return
            self.in_hand -= 1
            if not mail.is_acknowledged:
                self.waiting.append(mail)

    def _is_over(self) -> bool:
        with self.lock:
            return self.in_hand < 0 or (
                not self.is_making and not self.in_hand and not self.waiting
            )

    def _run(self, random: Random) -> None:
        while not self._is_over():
            try:
                self._session(random)
            except (OSError, _Broken):
                time.sleep(random.uniform(_PAUSE_S / 2, _PAUSE_S * 2))

    def _session(self, random: Random) -> None:
        """One connection: a single mail or some, then QUIT, or the line simply drops."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=_TIMEOUT_S) as line:
            connection = Connection(self.ledger, line)
            if connection.reply("the connection") != 220:
                raise _Broken
            connection.ask("EHLO load.sender.test")
            for _ in range(random.choice((1, 1, 3, 10, 40))):
                mail = self._next(random)
                if mail is None:
                    time.sleep(_PAUSE_S / 2)
                    break
                try:
                    connection.send(mail)
                finally:
                    self._done(mail)
                time.sleep(random.uniform(0, self.pause_s / 2))
            if random.random() < 0.7:
                connection.ask("QUIT", wanted=221)
