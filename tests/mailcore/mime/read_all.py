"""Reads hostile messages by every parser there is; the test runs it under hard limits.

A program of its own, because RLIMIT_CPU and RLIMIT_AS hold for a whole process. It prints one
line per message: name, CPU milliseconds, bytes of peak memory (traced only with --memory).
"""

from __future__ import annotations

import json
import resource
import sys
import time
import tracemalloc
from contextlib import suppress

from mailcore.mime import body, envelope, header, headerlist, snippet, structure
from tests.support.hostile_messages import hostile_messages


def read(data: bytes) -> None:
    """Do with `data` whatever Casilla does with a message it has received."""
    with suppress(header.HeaderTooLarge):
        header.scan_header(data)
    found = structure.parse_structure(data)
    again = structure.Structure.from_json(json.loads(json.dumps(found.to_json())))
    assert again == found
    assert len(found.parts) <= 1000
    assert len({part.number for part in found.parts}) == len(found.parts)
    for part in found.parts:
        assert 0 <= part.offset <= part.body_offset + part.size <= len(data)
    choice = body.choose_body(found)
    for part in (*choice.text[:1], *choice.html[:1]):
        text = body.decode_text(data, part).text
        text.encode("utf-8")
        assert len(snippet.preview(text)) <= 200
    json.dumps(envelope.read_addresses(data).to_json()).encode()
    assert len(headerlist.list_header(data).fields) <= 1000


def main() -> None:
    traced = "--memory" in sys.argv
    if traced:
        tracemalloc.start()
    else:
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
    for message in hostile_messages():
        if traced:
            tracemalloc.reset_peak()
        before, base = time.process_time(), tracemalloc.get_traced_memory()[0]
        read(message.data)
        cost = (time.process_time() - before) * 1000
        peak = tracemalloc.get_traced_memory()[1] - base if traced else 0
        print(f"{message.name} {cost:.1f} {peak}")  # noqa: T201 - this is its output


if __name__ == "__main__":
    main()
