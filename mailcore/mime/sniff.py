"""What a few octets really are: the types that a browser may show inline, by magic number.

The sender's Content-Type is never echoed; see webmail.md (c) and WHATWG MIME Sniffing 6. What is
not on this list, SVG and HTML above all, is a download. It does not check that a file is whole.
"""

from __future__ import annotations

INLINE_SAFE = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf"}
)
SNIFF_BYTES = 64
DOWNLOAD_TYPE = "application/octet-stream"

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def sniff(data: bytes) -> str:
    """Return the type of the file that begins with `data` (64 octets will do), '' if not known."""
    for magic, content_type in _MAGIC:
        if data.startswith(magic):
            return content_type
    if data[:4] == b"RIFF" and data[8:14] == b"WEBPVP":
        return "image/webp"
    return "image/avif" if _is_avif(data[:SNIFF_BYTES]) else ""


def _is_avif(head: bytes) -> bool:
    """Look for an AVIF brand in the leading `ftyp` box (ISO 14496-12, 4.3)."""
    if head[4:8] != b"ftyp":
        return False
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[at : at + 4] for at in (8, *range(16, size - 3, 4))]
    return b"avif" in brands or b"avis" in brands


def served_type(data: bytes) -> str:
    """Return the Content-Type to serve `data` with: by its magic, else a plain download."""
    return sniff(data) or DOWNLOAD_TYPE


def is_inline_safe(content_type: str) -> bool:
    """Say whether a sniffed type may be shown inside a page or frame."""
    return content_type in INLINE_SAFE
