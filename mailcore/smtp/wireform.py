"""Content as DATA carries it (RFC 5321, 2.3.8 and 4.5.2).

Every lone CR or LF becomes CRLF, whoever wrote it: servers that end a message at `LF.LF` are
then told nothing by it. Dots are stuffed after that. Lines are not folded: that breaks signatures.
"""

from __future__ import annotations


def normalise(content: bytes) -> bytes:
    """Return `content` with CRLF as its only line end, also at its end; '' stays empty."""
    pairs = content.count(b"\r\n")
    if pairs != content.count(b"\n") or pairs != content.count(b"\r"):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    return content


def stuff(content: bytes) -> bytes:
    """Return normalised content with a dot more on each line that begins with one."""
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    return b"." + content if content.startswith(b".") else content
