"""Build all derived assets, each only when its sources changed (a stamp of their versions).

Cutting the font takes a few seconds, so a start with nothing new costs milliseconds.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from webmail.assets import catalogues, font, sprite


def build(*, assets: Path, locale_source: Path, locale_target: Path) -> None:
    """Bring font, sprite and catalogues up to date. Raises OSError when a place is not writable."""
    for directory in (assets / "font", assets / "img", locale_target):
        directory.mkdir(parents=True, exist_ok=True)
    font_stamp = f"{version('fontpkg-inter')} {font.RANGES} {font.FEATURES}"
    if _is_stale(assets / "font.stamp", font_stamp):
        font.write_subset(assets / "font" / "inter.woff2")
        (assets / "font.stamp").write_text(font_stamp)
    sprite_stamp = f"{version('lucide')} {sprite.ICONS}"
    if _is_stale(assets / "sprite.stamp", sprite_stamp):
        sprite.write_sprite(assets / "img" / "icons.svg")
        (assets / "sprite.stamp").write_text(sprite_stamp)
    locale_stamp = _digest(sorted(locale_source.glob("*/LC_MESSAGES/*.po")))
    if _is_stale(locale_target / "locale.stamp", locale_stamp):
        catalogues.compile_catalogues(source=locale_source, target=locale_target)
        (locale_target / "locale.stamp").write_text(locale_stamp)


def _is_stale(stamp: Path, expected: str) -> bool:
    return not stamp.is_file() or stamp.read_text() != expected


def _digest(paths: list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
