"""One HTTP/1.1 exchange on an open stream: a GET and its bounded answer (RFC 9112).

Asks for an unencoded body and for the end of the connection. Reads a body by chunks, by length or
to the end; refuses what is too long, too many header fields, and content codings.
"""

from __future__ import annotations

import re
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from collections.abc import Mapping
from dataclasses import dataclass

from mailcore.fetch.target import FetchFailed, Target

HEAD_BYTES = 32 * 1024
LINE_BYTES = 8 * 1024
INTERIM_MAX = 3
AGENT = "Mozilla/5.0 (compatible; Casilla image proxy)"

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}):[ \t]*([^\r\n]*)")
_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})(?:[ \t]*;.*)?")
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; `body` is empty unless the status is 200."""

    status: int
    fields: Mapping[str, str]
    body: bytes


async def exchange(
    reader: StreamReader, writer: StreamWriter, target: Target, *, max_bytes: int
) -> Answer:
    """Ask for `target` and return the answer. Raises FetchFailed and OSError."""
    lines = (
        f"GET {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: {AGENT}",
        "Accept: image/webp,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    writer.write("\r\n".join((*lines, "", "")).encode("ascii"))
    await writer.drain()
    try:
        return await _answer(reader, max_bytes=max_bytes)
    except (IncompleteReadError, LimitOverrunError, ValueError) as error:
        raise FetchFailed("answer") from error


async def _answer(reader: StreamReader, *, max_bytes: int) -> Answer:
    for _ in range(INTERIM_MAX):
        status, fields = await _head(reader)
        if status >= 200:
            break
    if status != 200:
        return Answer(status, fields, b"")
    if fields.get("content-encoding", "identity").lower() != "identity":
        raise FetchFailed("coding")
    return Answer(status, fields, await _body(reader, fields, max_bytes=max_bytes))


async def _head(reader: StreamReader) -> tuple[int, dict[str, str]]:
    first = _STATUS.fullmatch(await _line(reader))
    if first is None:
        raise FetchFailed("answer")
    fields: dict[str, str] = {}
    left = HEAD_BYTES
    while line := await _line(reader):
        left -= len(line)
        field = _FIELD.fullmatch(line)
        if left < 0 or field is None:
            raise FetchFailed("answer")
        fields.setdefault(field[1].decode().lower(), field[2].strip().decode("latin-1"))
    return int(first[1]), fields


async def _line(reader: StreamReader) -> bytes:
    line = await reader.readuntil(b"\n")
    if len(line) > LINE_BYTES:
        raise FetchFailed("answer")
    return line.removesuffix(b"\n").removesuffix(b"\r")


async def _body(reader: StreamReader, fields: Mapping[str, str], *, max_bytes: int) -> bytes:
    coding, length = fields.get("transfer-encoding", ""), fields.get("content-length", "")
    if coding:
        if coding.strip().lower() != "chunked":
            raise FetchFailed("coding")
        return await _chunks(reader, max_bytes=max_bytes)
    if not length:
        return await _to_the_end(reader, max_bytes=max_bytes)
    if not (length.isascii() and length.isdigit()) or len(length) > 12:
        raise FetchFailed("answer")
    if int(length) > max_bytes:
        raise FetchFailed("size")
    return await reader.readexactly(int(length))


async def _chunks(reader: StreamReader, *, max_bytes: int) -> bytes:
    body = bytearray()
    while True:
        size = _SIZE.fullmatch(await _line(reader))
        if size is None:
            raise FetchFailed("answer")
        length = int(size[1], 16)
        if not length:
            return bytes(body)
        if len(body) + length > max_bytes:
            raise FetchFailed("size")
        body += await reader.readexactly(length)
        if await _line(reader):
            raise FetchFailed("answer")


async def _to_the_end(reader: StreamReader, *, max_bytes: int) -> bytes:
    body = bytearray()
    while piece := await reader.read(_PIECE):
        body += piece
        if len(body) > max_bytes:
            raise FetchFailed("size")
    return bytes(body)
