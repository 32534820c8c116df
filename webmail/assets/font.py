"""The shipped font: Inter (OFL, package fontpkg-inter) cut to the letters that pages need.

One variable WOFF2, optical size pinned, weight 400 to 700, Latin with extensions, punctuation and
arrows: about 40 KB. Knows nothing of Django. Layout features kept: kerning, marks, tabular figures.
"""

from __future__ import annotations

from importlib.resources import files
from io import BytesIO
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

SOURCE = "Inter[opsz,wght].ttf"
RANGES = (
    (0x20, 0x7E),
    (0xA0, 0x17F),  # Latin-1 and Latin Extended-A
    (0x18F, 0x18F),
    (0x1A0, 0x1B0),
    (0x218, 0x21B),
    (0x2C6, 0x2DD),
    (0x1E80, 0x1E85),
    (0x2010, 0x2027),
    (0x2030, 0x203A),
    (0x20AC, 0x20AC),
    (0x2122, 0x2122),
    (0x2190, 0x2193),
    (0x2212, 0x2212),
)
FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum", "calt", "case"]


def write_subset(target: Path) -> None:
    """Write the WOFF2 subset to `target`. Raises OSError when the package's file is missing."""
    source = files("fontpkg_inter").joinpath("files", SOURCE).read_bytes()
    font = TTFont(BytesIO(source))
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = FEATURES
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 5, 13, 14]  # the licence stays in the file
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    cutter.subset(font)
    instantiateVariableFont(font, {"opsz": 14, "wght": (400, 700)}, inplace=True)
    subset.save_font(font, str(target), options)
