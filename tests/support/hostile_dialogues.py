"""Hostile SMTP clients, as data: what is sent and what must come of it.

Written for this project, by class of attack. The rules that hold for every dialogue (grammar of
replies, no echo, bounded memory, others are served) stand in tests/scenarios/test_smtp_hostile.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

HELLO = b"EHLO evil.test\r\n"
ENVELOPE = HELLO + b"MAIL FROM:<a@x.test>\r\nRCPT TO:<bob@hamburger.test>\r\n"
DATA = ENVELOPE + b"DATA\r\n"
HEADER = b"Subject: x\r\n\r\n"
SECOND = (
    b"MAIL FROM:<admin@hamburger.test>\r\nRCPT TO:<bob@hamburger.test>\r\nDATA\r\nX: 2\r\n\r\n.\r\n"
)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Octets sent in one go. `kept` is how many messages may be stored, `codes` what must occur.

    `is_cut` means that the server may close without a word.
    """

    name: str
    octets: bytes
    kept: int = 0
    codes: tuple[bytes, ...] = ()
    is_cut: bool = False


def all_dialogues() -> tuple[Dialogue, ...]:
    """Return every dialogue, in classes."""
    return (
        *_smuggling(),
        *_lone_line_ends(),
        *_contents(),
        *_commands(),
        *_paths(),
        *_parameters(),
        *_foreign(),
        *_floods(),
        *_hang_ups(),
        *_tls(),
    )


def _smuggling() -> Iterator[Dialogue]:
    """Every mix of line ends around the dot but the real one: one message at most, refused."""
    ends = {
        "crlf": b"\r\n",
        "lf": b"\n",
        "cr": b"\r",
        "nul": b"\0",
        "crcrlf": b"\r\r\n",
        "lfcr": b"\n\r",
    }
    nul_ends = {"crnullf": b"\r\0\n", "crlfnul": b"\r\n\0", "nulcrlf": b"\0\r\n"}
    for (before, left), (after, right) in product((ends | nul_ends).items(), repeat=2):
        if (before, after) == ("crlf", "crlf") or (left.endswith(b"\r\n") and right == b"\r\n"):
            continue
        body = HEADER + b"first" + left + b"." + right + SECOND
        is_plain = not _has_bare(body[: body.rindex(b"\r\n.\r\n") + 2].replace(b".\r\n", b""))
        kept = 1 if is_plain and not _has_bare(left + b"." + right) else 0
        codes = (b"250 2.0.0",) if kept else (b"550 5.6.11",)
        yield Dialogue(f"smuggle-{before}-dot-{after}", DATA + body + b"\r\n.\r\n", kept, codes)


def _has_bare(octets: bytes) -> bool:
    lines = octets.count(b"\r\n")
    return octets.count(b"\r") != lines or octets.count(b"\n") != lines


def _lone_line_ends() -> Iterator[Dialogue]:
    refused = (b"550 5.6.11",)
    for name, lone in (("lf", b"\n"), ("cr", b"\r"), ("crcr", b"\r\r"), ("lfcr", b"\n\r")):
        yield Dialogue(
            f"bare-{name}-in-body", DATA + HEADER + b"a" + lone + b"b\r\n.\r\n", 0, refused
        )
        yield Dialogue(
            f"bare-{name}-in-header", DATA + b"Subject: a" + lone + b"B: c\r\n\r\n.\r\n", 0, refused
        )
        yield Dialogue(f"bare-{name}-first", DATA + lone + HEADER + b".\r\n", 0, refused)
        far = b"x" * 70_000 + lone + b"y" * 70_000
        yield Dialogue(f"bare-{name}-far-in", DATA + HEADER + far + b"\r\n.\r\n", 0, refused)
        yield Dialogue(f"bare-{name}-last", DATA + HEADER + b"x" + lone + b"\r\n.\r\n", 0, refused)


def _contents() -> Iterator[Dialogue]:
    stored = (b"250 2.0.0",)
    contents = {
        "empty": b"",
        "no-header": b"only a body\r\n",
        "no-body": b"Subject: x\r\n",
        "nul": HEADER + b"\0" * 100 + b"\r\n",
        "8bit": HEADER + bytes(range(128, 256)) + b"\r\n",
        "controls": HEADER + bytes(i for i in range(32) if i not in (10, 13)) + b"\r\n",
        "dots": HEADER + b"..\r\n...\r\n.. x\r\n" * 500,
        "long-line": HEADER + b"x" * 150_000 + b"\r\n",
        "empty-lines": HEADER + b"\r\n" * 50_000,
        "many-fields": b"X: y\r\n" * 900 + b"\r\n",
        "utf8-header": "Subject: ñandú 🌮\r\n\r\n".encode(),
        "dot-after-stuffing": HEADER + b"..\r\n..\r\n",
    }
    for name, content in contents.items():
        yield Dialogue(f"content-{name}", DATA + content + b".\r\n", 1, stored)
    large = (b"552 5.3.4",)
    yield Dialogue("content-too-large", DATA + b"x" * 250_000 + b"\r\n.\r\n", 0, large)
    yield Dialogue("content-endless", DATA + b"x" * 3_000_000, 0, is_cut=True)
    yield Dialogue("content-endless-lines", DATA + b"\r\n" * 1_500_000, 0, is_cut=True)
    yield Dialogue("content-large-and-bare", DATA + b"x\n" * 125_000 + b"\r\n.\r\n", 0, large)


def _commands() -> Iterator[Dialogue]:
    syntax, argument, order = (b"500 5.5.2",), (b"501 5.5.4",), (b"503 5.5.1",)
    lines: dict[str, tuple[bytes, tuple[bytes, ...]]] = {
        "bare-lf": (b"NOOP\n", syntax),
        "bare-cr": (b"NOOP a\rNOOP b\r\n", syntax),
        "nul": (b"NOOP \0\r\n", syntax),
        "escape": (b"NOOP \x1b[2J\r\n", syntax),
        "c1": (b"NOOP \xc2\x9b\r\n", syntax),
        "separator": ("NOOP \u2028\r\n".encode(), syntax),
        "bad-utf8": (b"NOOP \xff\r\n", syntax),
        "surrogate": (b"NOOP \xed\xa0\x80\r\n", syntax),
        "overlong-utf8": (b"NOOP \xc0\x80\r\n", syntax),
        "unknown": (b"XEVIL \x07\r\n", syntax),
        "unknown-echo": (b"<script>alert(1)</script>\r\n", (b"500 5.5.1",)),
        "format": (b"%s%n%x\r\n", (b"500 5.5.1",)),
        "empty": (b"\r\n", (b"500 5.5.1",)),
        "blank": (b"   \r\n", (b"500 5.5.1",)),
        "tab": (b"NOOP\tx\r\n", (b"500 5.5.1",)),
        "too-long": (b"NOOP " + b"x" * 3000 + b"\r\n", syntax),
        "three-too-long": ((b"NOOP " + b"x" * 3000 + b"\r\n") * 3, (b"421 4.7.0",)),
        "ehlo-empty": (b"EHLO\r\n", argument),
        "ehlo-space": (b"EHLO a b\r\n", argument),
        "ehlo-comment": (b"EHLO x(y)\r\n", argument),
        "ehlo-utf8": ("EHLO españa.test\r\n".encode(), argument),
        "ehlo-long": (b"EHLO " + b"x" * 300 + b"\r\n", argument),
        "ehlo-injects-field": (b"EHLO x;by=evil\r\n", argument),
        "mail-first": (b"MAIL FROM:<a@x.test>\r\n" * 2, order),
        "rcpt-first": (b"RCPT TO:<bob@hamburger.test>\r\n", order),
        "data-first": (b"DATA\r\n", order),
        "data-argument": (b"DATA now\r\n", argument),
        "mail-nothing": (b"MAIL\r\n", argument),
        "bdat": (b"BDAT 10 LAST\r\n0123456789\r\n", (b"500 5.5.1",)),
        "auth": (b"AUTH PLAIN AGEAYg==\r\n", (b"500 5.5.1",)),
        "etrn-turn": (b"TURN\r\nETRN x\r\n", (b"500 5.5.1",)),
        "debug-wiz": (b"DEBUG\r\nWIZ\r\n", (b"500 5.5.1",)),
        "expn": (b"EXPN postmaster\r\n", (b"502 5.5.1",)),
    }
    for name, (octets, codes) in lines.items():
        hello = b"" if name.startswith("ehlo") else HELLO
        yield Dialogue(f"command-{name}", hello + octets, 0, codes)
    yield Dialogue("command-no-hello", b"MAIL FROM:<a@x.test>\r\n", 0, order)


def _paths() -> Iterator[Dialogue]:
    refused = {
        "percent": (b"<a%x.test@y.test>", (b"550 5.7.1",)),
        "bang": (b"<x!bob@y.test>", (b"550 5.7.1",)),
        "route": (b"<@hamburger.test:a@y.test>", (b"550 5.7.1",)),
        "quoted-relay": (b'<"bob@hamburger.test"@y.test>', (b"550 5.7.1",)),
        "literal": (b"<root@[127.0.0.1]>", (b"550 5.7.1",)),
        "unknown": (b"<nobody@hamburger.test>", (b"550 5.1.1",)),
        "no-brackets": (b"bob@hamburger.test", (b"501 5.5.4",)),
        "half-bracket": (b"<bob@hamburger.test", (b"501 5.5.4",)),
        "two-paths": (b"<bob@hamburger.test><x@y.test>", (b"501 5.5.4",)),
        "bracket-inside": (b"<<bob@hamburger.test>>", (b"501 5.5.4",)),
        "space-inside": (b"<bob @hamburger.test>", (b"501 5.5.4",)),
        "crlf-encoded": (b"<bob%0d%0aDATA@y.test>", (b"550 5.7.1",)),
        "pipe": (b"<|/bin/sh@y.test>", (b"550 5.7.1",)),
        "file": (b"</etc/passwd@y.test>", (b"550 5.7.1",)),
        "traversal": (b"<../../x@y.test>", (b"550 5.7.1",)),
        "huge": (b"<" + b"a" * 1900 + b"@y.test>", (b"550 5.7.1",)),
        "backslashes": (b'<"' + b"\\\\" * 900 + b'"@y.test>', (b"550 5.7.1",)),
        "unclosed-quote": (b'<"' + b"a" * 1900 + b">", (b"501 5.5.4",)),
        "nested-quotes": (b'<"a"b"c"d"' * 150 + b">", (b"501 5.5.4",)),
        "fault": (b"<broken@hamburger.test>", (b"451 4.3.0",)),
    }
    mail = HELLO + b"MAIL FROM:<a@x.test>\r\n"
    for name, (path, codes) in refused.items():
        yield Dialogue(f"rcpt-{name}", mail + b"RCPT TO:" + path + b"\r\n", 0, codes)
    no_rcpt = mail + b"RCPT TO:<x@y.test>\r\nDATA\r\n" + HEADER + b".\r\n"
    yield Dialogue("data-without-recipient", no_rcpt, 0, (b"503 5.5.1",))
    many = b"RCPT TO:<bob@hamburger.test>\r\n" * 105
    yield Dialogue("rcpt-too-many", mail + many, 0, (b"452 4.5.3",))
    harvest = b"".join(b"RCPT TO:<nobody%d@hamburger.test>\r\n" % i for i in range(1000))
    yield Dialogue("rcpt-harvest", mail + harvest, 0, (b"421 4.7.0",))


def _parameters() -> Iterator[Dialogue]:
    malformed, unknown = (b"501 5.5.4",), (b"555 5.5.4",)
    cases = {
        b"SIZE=": malformed,
        b"SIZE=-1": malformed,
        b"SIZE=1e9": malformed,
        "SIZE=١٢".encode(): malformed,
        b"SIZE=" + b"9" * 1000: malformed,
        b"SIZE=99999999999999999999": (b"552 5.3.4",),
        b"SIZE=1 SIZE=2": malformed,
        b"BODY": malformed,
        b"BODY=9BIT": malformed,
        b"SMTPUTF8=yes": malformed,
        b"RET=ALL": malformed,
        b"ENVID=a+0D+0Ab": malformed,
        b"ENVID=a=b": malformed,
        b"ENVID=" + b"x" * 101: malformed,
        b"XFOO=1": unknown,
        b"=": malformed,
        b"AUTH=<>": unknown,
    }
    for number, (parameter, codes) in enumerate(cases.items()):
        mail = b"MAIL FROM:<a@x.test> " + parameter + b"\r\n"
        yield Dialogue(f"mail-parameter-{number}", HELLO + mail, 0, codes)
    rcpt_cases = {
        b"NOTIFY=": malformed,
        b"NOTIFY=NEVER,SUCCESS": malformed,
        b"NOTIFY=SUCCESS,SUCCESS": malformed,
        b"ORCPT=nosemicolon": malformed,
        b"ORCPT=rfc822;": malformed,
        b"ORCPT=rfc822;a+0Ab": malformed,
        b"ORCPT=rfc822;" + b"a" * 600: malformed,
        b"ORCPT=;x": malformed,
        b"SIZE=1": unknown,
    }
    for number, (parameter, codes) in enumerate(rcpt_cases.items()):
        rcpt = b"MAIL FROM:<>\r\nRCPT TO:<bob@hamburger.test> " + parameter + b"\r\n"
        yield Dialogue(f"rcpt-parameter-{number}", HELLO + rcpt, 0, codes)
    helo = b"HELO x\r\nMAIL FROM:<a@x.test> SIZE=1\r\n"
    yield Dialogue("parameter-after-helo", helo, 0, unknown)


def _foreign() -> Iterator[Dialogue]:
    """Other protocols: closed at once, so that nobody talks SMTP through them."""
    request = b" / HTTP/1.1\r\nHost: x\r\n\r\n" + HELLO
    for verb in (b"GET", b"POST", b"HEAD", b"PUT", b"CONNECT", b"OPTIONS"):
        yield Dialogue(f"foreign-{verb.decode().lower()}", verb + request, 0, is_cut=True)
    yield Dialogue(
        "foreign-tls",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\0" * 500 + b"\n",
        0,
        is_cut=True,
    )
    yield Dialogue("foreign-ssh", b"SSH-2.0-OpenSSH_9\r\n", 0, is_cut=True)
    yield Dialogue("foreign-proxy-1", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 25\r\n" + DATA, 0, is_cut=True)
    v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\1" * 12
    yield Dialogue("foreign-proxy-2", v2, 0, (b"500 5.5.1",))


def _floods() -> Iterator[Dialogue]:
    goodbye = (b"421 4.7.0",)
    yield Dialogue("flood-unknown", HELLO + b"XYZ\r\n" * 50, 0, goodbye)
    yield Dialogue("flood-noop", HELLO + b"NOOP\r\n" * 5000, 0, goodbye)
    yield Dialogue("flood-rset", HELLO + b"RSET\r\n" * 5000, 0, goodbye)
    yield Dialogue("flood-vrfy", HELLO + b"VRFY bob\r\n" * 500, 0, goodbye)
    yield Dialogue("flood-help", HELLO + b"HELP\r\n" * 500, 0, goodbye)
    yield Dialogue("flood-empty-lines", b"\r\n" * 100_000, 0, goodbye)
    yield Dialogue("flood-lf", b"\n" * 100_000, 0, goodbye)
    yield Dialogue("flood-syntax", HELLO + b"MAIL FROM\r\n" * 100, 0, goodbye)
    yield Dialogue("flood-no-line-end", b"A" * 2_000_000, 0)
    yield Dialogue("flood-nul", b"\0" * 2_000_000, 0)
    yield Dialogue(
        "flood-relay", HELLO + b"MAIL FROM:<>\r\n" + b"RCPT TO:<a@y.test>\r\n" * 50, 0, goodbye
    )


def _hang_ups() -> Iterator[Dialogue]:
    """The client sends this and goes."""
    whole = DATA + HEADER + b"body\r\n.\r\n"
    marks = {
        "hello": 4,
        "hello-done": len(HELLO),
        "mail": len(HELLO) + 9,
        "rcpt": len(ENVELOPE) - 8,
    }
    marks |= {"before-data": len(ENVELOPE), "after-data": len(DATA), "in-header": len(DATA) + 5}
    marks |= {"in-body": len(DATA) + len(HEADER) + 2, "before-dot": len(whole) - 3}
    marks |= {"after-dot": len(whole) - 2, "after-dot-cr": len(whole) - 1}
    for name, length in marks.items():
        yield Dialogue(f"hang-up-{name}", whole[:length], 0)


def _tls() -> Iterator[Dialogue]:
    """Plain octets behind STARTTLS: never obeyed, whatever they are."""
    hidden = {
        "commands": b"EHLO y\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<bob@hamburger.test>\r\n",
        "message": ENVELOPE + b"DATA\r\n" + HEADER + b".\r\n",
        "garbage": b"\xff" * 4000,
        "quit": b"QUIT\r\n",
        "half-hello": b"\x16\x03\x01\x02\0",
    }
    for name, octets in hidden.items():
        yield Dialogue(
            f"tls-{name}", HELLO + b"STARTTLS\r\n" + octets, 0, (b"220 2.0.0",), is_cut=True
        )
    yield Dialogue("tls-argument", HELLO + b"STARTTLS now\r\n", 0, (b"501 5.5.4",))
