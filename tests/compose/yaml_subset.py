"""As much of YAML as docker-compose.yml uses: mappings, lists, flow lists, anchors, merges.

All scalars are strings. Anything else raises ValueError: better than a wrong idea of the file that
a test is about. Knows no tags, no documents, no multi-line flow.
"""

from __future__ import annotations

import re
from typing import Any

_KEY = re.compile(r"([\w.-]+|<<):(?: +(.*))?$")
_ANCHOR = re.compile(r"&(\w+)(?: +(.*))?$")
_COMMENT = re.compile(r"(?:^|\s)#[^\"]*$")

Line = tuple[int, str]


class Reader:
    """Reads one text; `value` is what it holds."""

    def __init__(self, text: str) -> None:
        """Read. Raises ValueError for what is not in the subset."""
        self._lines = [line for line in map(_line, text.splitlines()) if line[1]]
        self._at = 0
        self._anchors: dict[str, Any] = {}
        self.value = self._block(0)
        if self._at < len(self._lines):
            raise ValueError(f"not read: {self._lines[self._at]}")

    def _peek(self) -> Line:
        return self._lines[self._at] if self._at < len(self._lines) else (-1, "")

    def _block(self, indent: int) -> Any:
        if self._peek()[1].startswith("- "):
            return self._list(indent)
        found: dict[str, Any] = {}
        while self._peek()[0] == indent:
            match = _KEY.match(self._peek()[1])
            if match is None:
                raise ValueError(f"no key: {self._peek()}")
            self._at += 1
            value = self._value(match[2] or "", indent)
            if match[1] == "<<":
                found = value | found
            else:
                found[match[1]] = value
        return found

    def _list(self, indent: int) -> list[Any]:
        found = []
        while self._peek()[0] == indent and self._peek()[1].startswith("- "):
            item = self._peek()[1][2:].strip()
            if _KEY.match(item):  # a mapping that begins behind the dash
                self._lines[self._at] = (indent + 2, item)
                found.append(self._block(indent + 2))
            else:
                self._at += 1
                found.append(self._value(item, indent))
        return found

    def _value(self, text: str, indent: int) -> Any:
        anchor = _ANCHOR.match(text)
        if anchor:
            self._anchors[anchor[1]] = value = self._value(anchor[2] or "", indent)
            return value
        if text.startswith("*"):
            return self._anchors[text[1:]]
        if text == ">-":
            return self._folded(indent)
        if text:
            return _flow(text)
        deeper = self._peek()[0]
        return self._block(deeper) if deeper > indent else None

    def _folded(self, indent: int) -> str:
        words = []
        while self._peek()[0] > indent:
            words.append(self._peek()[1])
            self._at += 1
        return " ".join(words)


def _line(text: str) -> Line:
    bare = _COMMENT.sub("", text).rstrip()
    return len(bare) - len(bare.lstrip()), bare.strip()


def _flow(text: str) -> Any:
    """Return what a scalar, `[a, b]` or `{ a: b }` on one line means."""
    if text[0] == "[":
        return [_flow(item) for item in _split(text[1:-1])]
    if text[0] == "{":
        return {key: _flow(rest) for key, rest in map(_pair, _split(text[1:-1]))}
    return text[1:-1] if text[0] == text[-1] == '"' else text


def _pair(item: str) -> tuple[str, str]:
    key, colon, rest = item.partition(": ")
    if not colon:
        raise ValueError(f"no pair: {item!r}")
    return key, rest.strip()


def _split(text: str) -> list[str]:
    """Return the items between commas that are not in quotes."""
    return [item.strip() for item in re.findall(r'(?:"[^"]*"|[^,"])+', text) if item.strip()]


def read(text: str) -> dict[str, Any]:
    """Return what the text holds. Raises ValueError, KeyError for an unknown alias."""
    value = Reader(text).value
    if not isinstance(value, dict):
        raise ValueError("not a mapping")
    return value
