"""Which database this system has, and how copies of it are laid out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from django.db import connection

from mailcore.backup import postgresql, sqlite

BLOBS = "blobs"


class Kind(Protocol):
    """What is done differently for each database; a module each."""

    FILE: str

    def server(self) -> str: ...
    def dump(self, directory: Path, *, look: Callable[[str], None]) -> None: ...
    def check_dump(self, directory: Path) -> None: ...
    def load(self, directory: Path) -> None: ...


def vendor() -> str:
    """Return `sqlite` or `postgresql`."""
    return connection.vendor


def current() -> Kind:
    """Return what this system's database needs."""
    return cast(Kind, postgresql if vendor() == "postgresql" else sqlite)


def blob_path(key: str) -> str:
    """Return where a copy keeps a blob, from the copy's own directory."""
    return f"{BLOBS}/{key[:2]}/{key[2:4]}/{key}"
