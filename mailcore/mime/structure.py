"""The parts of a message: where each begins, how long it is, how it is encoded (RFC 2045, 2046).

Offsets into the stored octets, nothing copied but part headers; bytes, mmap and memoryview will
do. One walk over the boundaries, bounded in depth, parts and octets searched; what lies beyond
stays inside its part and `truncated` is set. Whatever comes, a Structure comes out: bodies are
not decoded here (`body`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

from mailcore.mime import words
from mailcore.mime.charset import decode
from mailcore.mime.delimiters import Delimiters
from mailcore.mime.fields import Octets, header_span, unfold
from mailcore.mime.filename import safe_filename
from mailcore.mime.limits import DEFAULT, Limits
from mailcore.mime.params import parse_parameters

_BOUNDARY_CHARS = 255  # RFC 2046, 5.1.1 says 70
_CONTENT_FIELD = re.compile(
    rb"\n(content-(?:type|disposition|transfer-encoding|id))[ \t]*+:"
    rb"([^\n]*+(?:\n[ \t][^\n]*+)*+)",
    re.IGNORECASE,
)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+'*`|~%{}-]{1,80}/[a-z0-9!#$&^_.+'*`|~%{}-]{1,120}")
_TOKEN = re.compile(r"[a-z0-9_.+:-]{1,40}")
_ENCODINGS = {"uuencode": "x-uuencode", "uue": "x-uuencode", "x-uue": "x-uuencode"}
_TRANSPARENT = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class Part:
    """One body part, a leaf or a container. Offsets and sizes in octets of the message."""

    number: str  # as IMAP counts: "1", "1.2"; a multipart that is a whole body: "TEXT", "2.TEXT"
    parent: int  # index in Structure.parts, -1 for the top
    offset: int  # of the part's own header
    header_size: int  # with the empty line
    size: int = 0  # of the body, without the line end before the next boundary
    content_type: str = "text/plain"
    encoding: str = "7bit"
    charset: str = ""
    disposition: str = ""  # inline, attachment or ''
    filename: str = ""  # decoded and safe
    content_id: str = ""  # without <>
    params: dict[str, str] = field(default_factory=dict)

    @property
    def body_offset(self) -> int:
        return self.offset + self.header_size

    @property
    def is_multipart(self) -> bool:
        return self.content_type.startswith("multipart/")


@dataclass(frozen=True, slots=True)
class Structure:
    """All parts in order, parents before children. Never empty."""

    parts: tuple[Part, ...]
    truncated: bool = False  # a limit was reached: some parts were not looked into

    def part(self, number: str) -> Part | None:
        """Return the part with this number, None if there is none."""
        return next((part for part in self.parts if part.number == number), None)

    def children(self, index: int) -> list[int]:
        """Return the indices of the parts directly inside part `index`."""
        return [i for i, part in enumerate(self.parts) if part.parent == index]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; values that are the default are left out."""
        return {"parts": [_part_json(part) for part in self.parts], "truncated": self.truncated}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Structure:
        """Return the Structure that `to_json` wrote. Raises KeyError or TypeError for others."""
        return cls(tuple(Part(**part) for part in value["parts"]), bool(value["truncated"]))


_DEFAULTS = {f.name: f.default for f in fields(Part) if f.name != "params"} | {"params": {}}


def _part_json(part: Part) -> dict[str, Any]:
    values = ((name, getattr(part, name)) for name in _DEFAULTS)
    return {name: value for name, value in values if value != _DEFAULTS[name]}


def parse_structure(data: Octets, *, limits: Limits = DEFAULT) -> Structure:
    """Return the parts of the message `data`; never raises on any octets.

    At most `limits.parts` parts and `limits.depth` levels; time is linear in the size, memory
    does not depend on it.
    """
    return _Walk(data, limits).structure()


@dataclass(slots=True)
class _Open:
    """A part whose end has not been seen."""

    index: int
    level: int  # how many multiparts enclose it
    next_child: int = 1


class _Walk:
    def __init__(self, data: Octets, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._header_budget = limits.part_headers_bytes
        self._parts: list[Part] = []
        self._open: list[_Open] = []  # from the message down to the part being read
        self._multiparts: list[_Open] = []  # those with a boundary still to come
        self._delimiters = Delimiters(data, budget=limits.scan_bytes)
        self._truncated = False

    def structure(self) -> Structure:
        end = len(self._data)
        self._enter(0, "", -1, end, default_type="text/plain")
        while self._multiparts:
            found = self._delimiters.next()
            if found is None:
                break
            level, at, after, is_close = found
            self._close_above(level, at)
            if is_close:
                self._multiparts.pop()
                self._delimiters.pop()
            elif len(self._parts) >= self._limits.parts:
                self._truncated = True
                break
            else:
                self._enter_child(self._multiparts[-1], after)
        for opened in reversed(self._open):
            self._finish(opened, end)
        return Structure(tuple(self._parts), self._truncated or self._delimiters.exhausted)

    def _close_above(self, level: int, at: int) -> None:
        """End every part inside multipart `level`, and every multipart below it, at `at`."""
        while self._open and self._open[-1].level > level:
            self._finish(self._open.pop(), at)
        while len(self._multiparts) > level + 1:
            self._multiparts.pop()
            self._delimiters.pop()

    def _finish(self, opened: _Open, end: int) -> None:
        part = self._parts[opened.index]
        size = max(0, end - part.body_offset)
        self._parts[opened.index] = replace(part, size=size)

    def _enter_child(self, container: _Open, start: int) -> None:
        parent = self._parts[container.index]
        prefix = parent.number.removesuffix("TEXT")
        dot = "." if prefix and not prefix.endswith(".") else ""
        number = f"{prefix}{dot}{container.next_child}"
        container.next_child += 1
        in_digest = parent.content_type == "multipart/digest"
        default_type = "message/rfc822" if in_digest else "text/plain"
        self._enter(start, number, container.index, self._delimiters.bound(), default_type)

    def _enter(self, start: int, number: str, parent: int, end: int, default_type: str) -> None:
        """Read the part at `start` and, while it is a message, the part inside that."""
        while True:
            part = self._read_part(start, number, parent, end, default_type)
            index = len(self._parts)
            self._parts.append(part)
            opened = _Open(index, len(self._multiparts))
            self._open.append(opened)
            if part.is_multipart and self._may_descend():
                boundary = part.params.get("boundary", "")
                self._multiparts.append(opened)
                self._delimiters.push(boundary.encode("utf-8", "replace"), part.body_offset)
            if part.content_type != "message/rfc822" or part.encoding not in _TRANSPARENT:
                return
            if not self._may_descend():
                return
            start, parent, default_type = part.body_offset, index, "text/plain"
            number = part.number + "."

    def _may_descend(self) -> bool:
        fits = len(self._open) < self._limits.depth and len(self._parts) < self._limits.parts
        self._truncated |= not fits
        return fits

    def _read_part(self, start: int, number: str, parent: int, end: int, default_type: str) -> Part:
        """Read one header. `number` is final, or ends in "." (or is empty) for a message's body."""
        limit = self._limits.header_bytes if parent < 0 else self._limits.part_header_bytes
        if parent >= 0:
            limit = min(limit, self._header_budget)
        stop = min(end, start + limit)
        fields_end, body = header_span(self._data, start, stop)
        if parent >= 0:
            self._header_budget -= fields_end - start
        self._truncated |= body >= stop and stop < end
        part = _described(bytes(self._data[start:fields_end]), default_type)
        is_body = number == "" or number.endswith(".")
        if is_body:
            number += "TEXT" if part.is_multipart else "1"
        return replace(part, number=number, parent=parent, offset=start, header_size=body - start)


def _described(header: bytes, default_type: str) -> Part:
    """Return what the Content fields of a part header say, with all offsets zero."""
    found: dict[bytes, str] = {}
    for match in _CONTENT_FIELD.finditer(b"\n" + header):
        found.setdefault(match[1].lower(), _text(match[2]))
    kind, params = parse_parameters(found.get(b"content-type", ""))
    disposition, more = parse_parameters(found.get(b"content-disposition", ""))
    kind = _content_type(kind, default_type)
    boundary = params.get("boundary", "")
    if kind.startswith("multipart/") and not 0 < len(boundary) <= _BOUNDARY_CHARS:
        kind = "text/plain"  # nothing can delimit its parts: shown as it stands
    name = more.get("filename") or params.get("name") or ""
    encoding = found.get(b"content-transfer-encoding", "7bit").split(";")[0].strip().lower()
    return Part(
        number="",
        parent=-1,
        offset=0,
        header_size=0,
        content_type=kind,
        encoding=_ENCODINGS.get(encoding, _token(encoding) or "7bit"),
        charset=_token(params.get("charset", "").lower()),
        disposition=_token(disposition),
        filename=safe_filename(name) if name else "",
        content_id=words.clean(found.get(b"content-id", "")).strip("<> ")[:255],
        params=dict(_kept(params)),
    )


def _text(value: bytes) -> str:
    value = unfold(value)
    return value.decode("ascii") if value.isascii() else decode(value)


def _token(text: str) -> str:
    return text if _TOKEN.fullmatch(text) else ""


def _content_type(kind: str, default_type: str) -> str:
    """Return a valid type: what cannot be parsed is text/plain (RFC 2045, 5.2)."""
    if not kind:
        return default_type
    if _TYPE.fullmatch(kind):
        return kind
    return "text/plain" if kind.startswith("text") or "/" in kind else "application/octet-stream"


def _kept(params: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the parameters worth storing: not those that are fields of Part, and not endless."""
    kept = 0
    for name, text in params.items():
        if name not in ("charset", "name") and kept < 10:
            kept += 1
            yield name, text[:_BOUNDARY_CHARS]
