"""How much of a message is looked at (docs: guarantees, section 3).

One frozen value holds every bound, so that a caller with settings can pass its own. The bounds
that exist only to keep a hostile message within 500 ms and 64 MiB are at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in octets, the rest are counts."""

    header_bytes: int = 256 * KIB
    header_fields: int = 1000
    field_bytes: int = 64 * KIB
    depth: int = 50
    parts: int = 1000
    part_header_bytes: int = 64 * KIB  # looked at in each part below the top one
    part_headers_bytes: int = 2 * MIB  # looked at in all parts together
    scan_bytes: int = 384 * MIB  # searched for boundaries, all levels together


DEFAULT = Limits()
