"""Messages made to hurt a parser: deep, repeated, broken, lying about themselves.

Built here, nothing recorded. `hostile_messages()` is the list for any test that hands received
octets to our code; the classes name what is attacked.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

FROM = b"From: Mallory <mallory@evil.example>\r\nTo: alice@casilla.example\r\n"
MIME = b"MIME-Version: 1.0\r\n"


@dataclass(frozen=True, slots=True)
class HostileMessage:
    name: str
    klass: str
    data: bytes


def hostile_messages() -> list[HostileMessage]:
    """Return all of them, about 20 MB, in a fixed order with unique names."""
    makers = (
        _depth,
        _width,
        _nested_messages,
        _boundaries,
        _parameters,
        _continuations,
        _addresses,
        _encoded_words,
        _charsets,
        _encodings,
        _octets,
        _headers,
        _dates,
        _names,
    )
    return [
        HostileMessage(f"{maker.__name__[1:]}-{name}", maker.__name__[1:], data)
        for maker in makers
        for name, data in maker()
    ]


def message(header: bytes, body: bytes = b"") -> bytes:
    """Return a message with our usual first fields."""
    return FROM + MIME + header + b"\r\n\r\n" + body


def multipart(boundary: bytes, body: bytes, kind: bytes = b"mixed") -> bytes:
    return message(b'Content-Type: multipart/%s; boundary="%s"' % (kind, boundary), body)


_Made = Iterator[tuple[str, bytes]]


def _depth() -> _Made:
    for depth in (49, 50, 51, 100, 1000, 10_000):
        opened = b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
            for n in range(depth)
        )
        closed = b"".join(b"\r\n--b%d--" % n for n in reversed(range(depth)))
        yield f"open-{depth}", FROM + opened + b"\r\ntext"
        yield f"closed-{depth}", FROM + opened + b"\r\ntext" + closed
    opened = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
    yield "same-boundary", FROM + opened * 1000
    growing = b"".join(
        b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n" % (b"a" * n, b"a" * n)
        for n in range(1, 60)
    )
    yield "growing-boundary", FROM + growing + b"\r\n--" + b"a" * 200_000
    unfinished = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%02d\r\n\r\n--b%02d\r\n" % (n, n)
        for n in range(50)
    )
    yield "open-then-2mb", FROM + unfinished + b"\r\n" + b"\n--c" * 500_000


def _width() -> _Made:
    for count in (999, 1000, 1001, 50_000):
        yield f"empty-{count}", multipart(b"b", b"\r\n--b" * count)
        yield f"text-{count}", multipart(b"b", b"\r\n--b\r\n\r\nx" * count + b"\r\n--b--")
    yield "alternatives", multipart(b"b", b"\r\n--b\r\n\r\nx" * 900, b"alternative")
    yield "related", multipart(b"b", b"\r\n--b\r\nContent-ID: <x>\r\n\r\nx" * 900, b"related")
    big = b"\r\n--b\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"
    yield "big-part-headers", multipart(b"b", big * 40)
    yield "digest", multipart(b"b", b"\r\n--b\r\n\r\nSubject: x\r\n\r\ny" * 900, b"digest")


def _nested_messages() -> _Made:
    for depth in (10, 50, 100, 1000, 20_000):
        yield f"rfc822-{depth}", FROM + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"x"
        mixed = b"".join(
            b"Content-Type: multipart/digest; boundary=d%d\r\n\r\n--d%d\r\n\r\n" % (n, n)
            for n in range(depth)
        )
        yield f"digest-{depth}", FROM + mixed
    inner = base64.encodebytes(FROM + b"\r\nhidden")
    encoded = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64"
    yield "base64-rfc822", message(encoded, inner)
    yield "empty-rfc822", message(b"Content-Type: message/rfc822")


def _boundaries() -> _Made:
    bodies = {
        "none": b"text",
        "only-close": b"--b--",
        "close-twice": b"--b\r\n\r\nx\r\n--b--\r\n--b--",
        "after-close": b"--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\nafter",
        "lf": b"--b\n\nx\n--b--\n",
        "cr": b"--b\r\rx\r--b--",
        "blanks": b"--b  \t\r\n\r\nx\r\n--b-- \r\n",
        "garbage": b"--bgarbage\r\n\r\nx\r\n--b--garbage",
        "no-header-end": b"--b\r\nX: y\r\n--b--",
        "adjacent": b"--b\r\n--b\r\n--b\r\n--b--",
        "at-end": b"--b\r\n\r\nx\r\n--b",
        "long-line": b"--b" + b"x" * 1_000_000,
        "dashes": b"-" * 500_000,
        "almost": b"\r\n--" * 200_000,
        "nul": b"--b\0\r\n\r\nx\r\n--b\0--",
    }
    for name, body in bodies.items():
        yield name, multipart(b"b", body)
    for name, boundary in {
        "empty": b"",
        "blank": b" ",
        "71": b"x" * 71,
        "300": b"x" * 300,
        "60k": b"x" * 60_000,
        "regex": b"(a+)+$.*[",
        "crlf": b"a\r\n b",
        "8bit": b"\xff\xfe",
        "dash": b"-",
        "quote": b'\\"',
        "encoded": b"=?utf-8?q?b?=",
    }.items():
        yield f"named-{name}", multipart(boundary, b"--" + boundary + b"\r\n\r\nx")
    prefix = (
        b"--ab\r\nContent-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n\r\nx\r\n--abc--\r\n"
    )
    yield "prefix", multipart(b"ab", prefix + b"--ab--")
    yield "missing-parameter", message(b"Content-Type: multipart/mixed", b"--b\r\n\r\nx")


def _parameters() -> _Made:
    kind = b"Content-Type: text/plain"
    values = {
        "50k": b"; a=b" * 12_000,
        "names": b"".join(b";a%d=b" % n for n in range(6_000)),
        "semicolons": b";" * 60_000,
        "equals": b"=" * 60_000,
        "quotes": b';a="' * 15_000,
        "open-quote": b'; name="' + b"x" * 60_000,
        "backslashes": b'; name="' + b"\\" * 60_001,
        "comments": b"; a=" + b"(" * 60_000,
        "stars": b"; a" + b"*" * 60_000 + b"=x",
        "index-5000": b"; name*" + b"9" * 5_000 + b"=x",
        "index-negative": b"; name*-1=x",
        "sections": b"".join(b";name*%d=x" % n for n in range(4_000)),
        "sections-extended": b"".join(b";name*%d*=%%41" % n for n in range(4_000)),
        "sections-gap": b";name*0=a;name*2=c",
        "sections-twice": b";name*0=a;name*0=b",
        "percent": b";name*=utf-8''" + b"%" * 60_000,
        "bad-charset": b";name*=nope''%ff",
        "one-quote": b";name*=utf-8'x",
        "null": b";name*=utf-8''a%00%0d%0ab",
        "surrogate": b";name*=utf-16''%00%d8",
        "idna": b";name*=idna''" + b"a." * 20_000,
        "blanks": b" " * 60_000 + b";a=b",
        "name-60k": b";" + b"a" * 60_000 + b"=b",
    }
    for name, value in values.items():
        yield name, message(kind + value, b"text")
        yield f"disposition-{name}", message(b"Content-Disposition: attachment" + value, b"text")
    for name, value in {
        "none": b"",
        "slash": b"/",
        "text": b"text",
        "long": b"x/" * 30_000,
        "nul": b"a/\0",
        "two": b"a/b/c",
        "comment": b"(x)text/html(y)",
    }.items():
        yield f"type-{name}", message(b"Content-Type: " + value, b"text")


def _continuations() -> _Made:
    for name in (b"Subject", b"To", b"From", b"References", b"Content-Type", b"Date", b"Received"):
        label = name.decode().lower()
        yield f"blank-{label}", message(name + b":" + b"\r\n " * 20_000 + b"x")
        yield f"word-{label}", message(name + b": x" + b"\r\n\tx" * 15_000)


def _addresses() -> _Made:
    values = {
        "commas": b"," * 60_000,
        "dots": b"a" + b"." * 60_000 + b"@b",
        "parens": b"(" * 60_000,
        "pairs": b"()" * 30_000,
        "closing": b")" * 60_000,
        "angles": b"<" * 60_000,
        "ats": b"@" * 60_000,
        "quotes": b'"' * 60_001,
        "colons": b":" * 60_000,
        "groups": b"g:a@b;," * 8_000,
        "brackets": b"[" * 60_000,
        "backslashes": b"\\" * 60_000,
        "many": b"a@b.example," * 5_000,
        "route": b"<" + b"@a," * 20_000 + b":b@c>",
        "words": b"a " * 30_000 + b"<a@b>",
        "comment-address": b"alice@casilla.example(<mallory@evil.example>",
        "two-angles": b"Alice <alice@casilla.example> <mallory@evil.example>",
        "long-local": b"a" * 60_000 + b"@b",
        "nul": b"a\0b@c",
        "8bit": b"\xff\xfe <\xff@\xfe>",
    }
    for name, value in values.items():
        yield name, b"From: " + value + b"\r\nSubject: x\r\n\r\ntext"
    yield "hundred-thousand-commas", b"".join(b"To: " + b"," * 50_000 + b"\r\n" for _ in range(4))


def _encoded_words() -> _Made:
    values = {
        "many": b"=?utf-8?q?a?= " * 4_000,
        "joined": b"=?utf-8?q?a?=" * 4_500,
        "opened": b"=?" * 30_000,
        "halves": b"=?utf-8?q?" * 6_000,
        "empty": b"=??q??=" * 8_000,
        "charsets": b"".join(b"=?x%d?q?=FF?= " % n for n in range(3_500)),
        "crlf": b"=?utf-8?q?x=0D=0ABcc:_victim@x.example?=",
        "nul": b"=?utf-8?b?AAAA?=",
        "bad-base64": b"=?utf-8?b?a?= =?utf-8?b?====?= =?utf-8?b?" + b"*" * 60_000 + b"?=",
        "utf7": b"=?utf-7?q?+2AA-?=",
        "idna": b"=?idna?q?" + b"a." * 25_000 + b"?=",
        "bidi": b"=?utf-8?q?=E2=80=AEexe.txt?=",
        "big": b"=?utf-8?b?" + b"QUFB" * 15_000 + b"?=",
        "split-character": b"=?utf-8?q?=C3?= =?utf-8?q?=B6?=",
        "questions": b"?" * 60_000,
    }
    for name, value in values.items():
        yield name, message(b"Subject: " + value)


def _charsets() -> _Made:
    labels = (
        b"",
        b"nope",
        b"idna",
        b"punycode",
        b"zip",
        b"unicode_escape",
        b"undefined",
        b"rot13",
        b"utf-7",
        b"utf-16",
        b"utf-32",
        b"hz",
        b"iso-2022-jp",
        b"iso-2022-kr",
        b"us-ascii",
        b"\0",
        b"x" * 5_000,
    )
    octets = bytes(range(256)) * 40 + b"~{\x1b$B+AAA-"
    for number, label in enumerate(labels):
        yield f"{number}", message(b'Content-Type: text/plain; charset="%s"' % label, octets)


def _encodings() -> _Made:
    bodies = {
        b"base64": (
            b"=" * 300_000,
            b"A=" * 300_000,
            b"A" * 300_001,
            b"\xff" * 300_000,
            b"QQ==\r\nQQ==",
        ),
        b"quoted-printable": (
            b"=" * 300_000,
            b"=\r\n" * 99_999,
            b" " * 300_000,
            b"=0D=0A" * 50_000,
        ),
        b"x-uuencode": (
            b"begin 644 x\n" * 9_999,
            b"begin 644 x\n" + b"\xff" * 300_000,
            b"M\n" * 9_999,
        ),
        b"nope": (b"x",),
        b"base64 base64": (b"QQ==",),
        b"\0": (b"x",),
    }
    for encoding, variants in bodies.items():
        for number, body in enumerate(variants):
            header = b"Content-Transfer-Encoding: " + encoding
            yield f"{encoding.decode()}-{number}", message(header, body)


def _octets() -> _Made:
    whole = {
        "empty": b"",
        "newline": b"\r\n",
        "lf": b"\n",
        "cr": b"\r",
        "nul": b"\0" * 100_000,
        "dot": b".",
        "dots": b".\r\n" * 50_000,
        "no-header": b"just text\r\n",
        "header-only": b"Subject: x",
        "colon": b":",
        "colons": b":\r\n" * 900,
        "blank-first": b" folded\r\nSubject: x\r\n\r\n",
        "8bit": bytes(range(128, 256)) * 1_000,
        "lf-only": b"Subject: x\nTo: a@b\n\ntext\n",
        "cr-only": b"Subject: x\rTo: a@b\r\rtext",
        "mbox": b"From a Thu Jan 1\nSubject: x\n\ny",
        "empty-lines": b"\r\n" * 500_000,
        "one-line": b"x" * 3_000_000,
        "bom": b"\xef\xbb\xbfSubject: x",
    }
    yield from whole.items()


def _headers() -> _Made:
    yield "fields-1000", b"X: y\r\n" * 1_000 + b"\r\n"
    yield "fields-1001", b"X: y\r\n" * 1_001 + b"\r\n"
    yield "fields-100k", b"X: y\r\n" * 100_000 + b"\r\n"
    yield "field-64k", b"X: " + b"y" * 65_000 + b"\r\n\r\n"
    yield "field-70k", b"X: " + b"y" * 70_000 + b"\r\n\r\n"
    yield "header-250k", (b"X: " + b"y" * 990 + b"\r\n") * 250 + b"\r\n"
    yield "header-1m", (b"X: " + b"y" * 990 + b"\r\n") * 1_000 + b"\r\n"
    yield "name-200k", b"x" * 200_000 + b": y\r\n\r\n"
    yield "names-no-colon", b"Subject: x\r\n" + b"x" * 200_000
    yield "references", message(b"References: " + b"<a@b> " * 10_000)
    yield "references-open", message(b"References: " + b"<" * 60_000)
    yield "message-id-long", message(b"Message-ID: <" + b"x" * 60_000 + b"@y>")
    yield "subject-re", message(b"Subject: " + b"Re: " * 15_000)
    yield "subject-blobs", message(b"Subject: " + b"[x]" * 20_000)
    yield "subject-fwd", message(b"Subject: " + b"[fwd:" * 10_000 + b"]" * 10_000)
    for name in (b"Subject", b"From", b"Date", b"Message-ID", b"Content-Type", b"Received"):
        yield f"repeated-{name.decode().lower()}", (name + b": a@b\r\n") * 900 + b"\r\n"


def _dates() -> _Made:
    values = (
        b"Mon, 99 Jan 2025 00:00:00 +0000",
        b"1 Jan 9999 23:59:59 -9959",
        b"1 Jan 0001 00:00:00 +9959",
        b"31 Feb 2025 10:00 Z",
        b"1 Foo 2025 1:1:1",
        b"(" * 300 + b"1 Jan 2025 00:00 +0000",
        b"9" * 60_000,
        b"1 Jan 2025 24:61:61 +0000",
        b" " * 60_000,
        b"1 Jan 2016 23:59:60 +0000",
    )
    for number, value in enumerate(values):
        yield f"{number}", message(b"Date: " + value)


def _names() -> _Made:
    values = (
        b"../../etc/passwd",
        b"C:\\windows\\cmd.exe",
        b"con.txt",
        b"a\\0.exe",
        b"..",
        b".",
        b"/",
        b"invoice\xe2\x80\xaefdp.exe",
        b"x" * 5_000 + b".pdf",
        b"=?utf-8?q?a=0D=0Ab.pdf?=",
        b".bashrc",
    )
    for number, value in enumerate(values):
        header = b'Content-Disposition: attachment; filename="%s"' % value
        yield f"{number}", message(header, b"x")
