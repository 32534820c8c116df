"""The project's own files as data: for tests about the code itself. Parses; runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("mailcore", "webmail")

_READ = re.compile(r"""(?:\benv\.\w+|_secret)\(\s*"([A-Z][A-Z0-9_]*)\"""")


def python_files(*tops: str) -> Iterator[Path]:
    """Yield the Python files under these top directories of the project, generated ones aside."""
    for top in tops:
        for path in sorted((ROOT / top).rglob("*.py")):
            if "migrations" not in path.parts and "__pycache__" not in path.parts:
                yield path


def environment_variables() -> set[str]:
    """Return the names of the environment variables that the settings module reads."""
    return set(_READ.findall((ROOT / "webmail" / "settings.py").read_text()))
