"""Draw a picture anew: what comes out was written by us, pixel by pixel (webmail design, c 7).

PNG, JPEG, GIF and WebP, by their octets. Metadata, trailing octets and everything else that a
file can carry besides pixels stay behind. Runs only in the child process of `sandbox`, because
decoders of pictures have a history; imports Pillow only when it is called.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS_MAX = 25_000_000
SIDE_MAX = (2048, 16384)  # shown at most 820 px wide, twice that on a fine screen
FRAMES_MAX = 300
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
QUALITY = 85


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as `sandbox` sends it: `data` is base64."""

    content_type: str
    data: str
    width: int
    height: int


def redraw(octets: bytes, *, side: int = 0) -> Drawn:
    """Return the picture in `octets`, at most `side` pixels wide and high unless that is 0.

    Raises ValueError, OSError and what else decoders raise: the process may be given up.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    image = Image.open(io.BytesIO(octets), formats=FORMATS)
    if image.width * image.height > PIXELS_MAX:
        raise ValueError("too many pixels")
    kind = image.format or ""
    frames = getattr(image, "n_frames", 1)
    whole = image.width * image.height * frames
    if kind == "GIF" and not side and 1 < frames <= FRAMES_MAX and whole <= PIXELS_MAX:
        return _moving(image)
    image.seek(0)
    return _still(image, kind, side)


def _still(image: Image, kind: str, side: int) -> Drawn:
    from PIL import ImageOps

    image.thumbnail((side, side) if side else SIDE_MAX)
    image = ImageOps.exif_transpose(image)
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    image = image.convert("RGBA" if has_alpha else "L" if image.mode in ("1", "L") else "RGB")
    image.info.clear()
    out = io.BytesIO()
    if kind == "JPEG" or (kind == "WEBP" and not has_alpha):
        image.save(out, "JPEG", quality=QUALITY, optimize=True)
        return _drawn(image, "image/jpeg", out)
    image.save(out, "PNG")
    return _drawn(image, "image/png", out)


def _moving(image: Image) -> Drawn:
    """Keep an animation whose frames together are no larger than one picture may be."""
    from PIL import ImageSequence

    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(max(20, int(frame.info.get("duration") or 100)))
        plain = frame.convert("RGBA")
        plain.info.clear()
        frames.append(plain)
    out = io.BytesIO()
    loop = {"loop": image.info["loop"]} if "loop" in image.info else {}
    frames[0].save(
        out, "GIF", save_all=True, append_images=frames[1:], duration=durations, disposal=2, **loop
    )
    return _drawn(frames[0], "image/gif", out)


def _drawn(image: Image, content_type: str, out: io.BytesIO) -> Drawn:
    data = base64.b64encode(out.getvalue()).decode()
    return Drawn(content_type, data, image.width, image.height)
