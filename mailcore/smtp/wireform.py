"""Content as DATA carries it (RFC 5321, 2.3.8 and 4.5.2).

Every lone CR or LF becomes CRLF, whoever wrote it: servers that end a message at `LF.LF` are
then told nothing by it. Dots are stuffed after that. Lines are not folded: that breaks signatures.
"""

from __future__ import annotations

import re

# Both begin with one octet that is rare: the engine leaps from one to the next, which is twice
# as fast as looking for the pair.
_LONE_CR = re.compile(rb"\r(?!\n)")
_DOTTED = re.compile(rb"\n\.")


def normalise(content: bytes) -> bytes:
    """Return `content` with CRLF as its only line end, also at its end; '' stays empty."""
    # Most content is in order: as many of both, and no CR alone.
    if content.count(b"\n") != content.count(b"\r") or _LONE_CR.search(content):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    return content


def stuff(content: bytes) -> bytes:
    """Return normalised content with a dot more on each line that begins with one."""
    if _DOTTED.search(content):
        content = content.replace(b"\r\n.", b"\r\n..")
    return b"." + content if content.startswith(b".") else content
