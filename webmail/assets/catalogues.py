"""Message catalogues: gettext .po sources compiled to .mo without GNU gettext (polib).

Sources stand in locale/<language>/LC_MESSAGES/django.po; the result goes below the build directory.
"""

from __future__ import annotations

from pathlib import Path

import polib


def compile_catalogues(*, source: Path, target: Path) -> None:
    """Compile every catalogue below `source` into the same place below `target`."""
    for catalogue in sorted(source.glob("*/LC_MESSAGES/*.po")):
        compiled = target / catalogue.relative_to(source).with_suffix(".mo")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        polib.pofile(str(catalogue)).save_as_mofile(str(compiled))
