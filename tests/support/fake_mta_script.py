"""What a fake mail host is told to do, and what it keeps. `fake_mta` says how to write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

EXTENSIONS = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")


@dataclass(frozen=True)
class Act:
    """Something that is not a reply."""

    name: str


OK = Act("ok")  # the usual reply
DROP = Act("drop")  # close without a word; at the dot: before its reply, with the message kept
RESET = Act("reset")  # the same by RST
DEAF = Act("deaf")  # say nothing and read nothing, for ten seconds at most
HANG = Act("hang")  # say nothing until the client goes
ENDLESS = Act("endless")  # a reply of lines without end
OVERLONG = Act("overlong")  # one line without end
FLOOD = Act("flood")  # whole replies without end
GARBAGE = b"\x00\xff\x1b[31mHTTP/1.1 400 Bad Request\r\n\r\n"


@dataclass(frozen=True)
class Then:
    """A reply, and something after it: `Then("250 ok", DROP)`."""

    reply: str
    act: Act


Step = str | bytes | Act | Then
Steps = Step | Sequence[Step]


@dataclass
class Script:
    """What the host does at each stage; may be changed while it runs.

    `rcpt_of` goes before `rcpt`. `content` comes after the 354, before content is read; at `mid`
    the step is taken after the first octets of content. `after_tls` comes instead of the second
    EHLO's reply.
    """

    banner: Steps = ()
    ehlo: Steps = ()
    helo: Steps = ()
    starttls: Steps = ()
    after_tls: Steps = ()
    auth: Steps = ()
    mail: Steps = ()
    rcpt: Steps = ()
    rcpt_of: Mapping[str, Steps] = field(default_factory=dict)
    data: Steps = ()
    content: Steps = ()
    mid: Steps = ()
    dot: Steps = ()
    rset: Steps = ()
    quit: Steps = ()
    extensions: Sequence[str] = EXTENSIONS
    starttls_offered: bool = False
    instead_of_tls: bytes = b""  # what comes after the 220 in place of a handshake
    implicit_tls: bool = False  # as it is when the host starts
    login: tuple[str, str] | None = None  # AUTH PLAIN and LOGIN
    login_mechanisms: str = "PLAIN LOGIN"
    max_recipients: int | None = None  # 452 after so many in one transaction
    max_messages: int | None = None  # 421 after so many on one connection


@dataclass
class Message:
    """A message as it was taken: unstuffed, nothing else changed."""

    reverse_path: str
    mail_parameters: list[str]
    forward_paths: list[str]
    rcpt_parameters: list[list[str]]
    content: bytes
    helo: str
    is_tls: bool
    login: str
    connection: int  # the number of the connection, from 0
    was_answered: bool = False  # whether the client was told that we have it


def is_positive(step: Step) -> bool:
    """Whether a step says yes, so that the session goes on as usual after it."""
    text = step.reply if isinstance(step, Then) else step
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    return isinstance(text, str) and text[:1] in ("2", "3")
