"""The icon sprite: Lucide (ISC, package lucide) symbols that templates name, in one SVG file.

Pages use `<svg><use href=".../icons.svg#name">`, so an icon costs some 60 octets. Knows no Django.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

NAMESPACE = "http://www.w3.org/2000/svg"
ICONS = (
    "archive",
    "arrow-down",
    "arrow-left",
    "arrow-up",
    "at-sign",
    "ban",
    "bell",
    "bell-off",
    "bold",
    "book-user",
    "bookmark",
    "calendar-clock",
    "calendar-days",
    "check",
    "check-check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevron-up",
    "chevrons-down-up",
    "chevrons-up-down",
    "circle-alert",
    "circle-user",
    "circle-x",
    "clock",
    "code",
    "corner-up-left",
    "download",
    "ellipsis",
    "eye",
    "file",
    "file-archive",
    "file-image",
    "file-music",
    "file-pen",
    "file-play",
    "file-spreadsheet",
    "file-text",
    "folder",
    "folder-input",
    "forward",
    "globe",
    "image",
    "image-off",
    "inbox",
    "info",
    "italic",
    "key-round",
    "keyboard",
    "layers",
    "layout-dashboard",
    "link",
    "list",
    "list-filter",
    "list-ordered",
    "lock",
    "lock-open",
    "log-out",
    "mail",
    "mail-check",
    "mail-open",
    "mails",
    "menu",
    "merge",
    "monitor",
    "moon",
    "octagon-alert",
    "package",
    "paperclip",
    "pause",
    "play",
    "plus",
    "printer",
    "refresh-cw",
    "reply",
    "reply-all",
    "rotate-cw",
    "route",
    "scroll-text",
    "search",
    "send",
    "settings",
    "shield-alert",
    "shield-ban",
    "shield-check",
    "sliders-horizontal",
    "square-pen",
    "star",
    "sun",
    "tag",
    "text-quote",
    "trash-2",
    "triangle-alert",
    "type",
    "underline",
    "undo-2",
    "user-plus",
    "user-round",
    "users",
    "x",
)


def write_sprite(target: Path) -> None:
    """Write the sprite to `target`. Raises KeyError when the package lacks an icon."""
    ElementTree.register_namespace("", NAMESPACE)
    sprite = ElementTree.Element(f"{{{NAMESPACE}}}svg")
    with files("lucide").joinpath("lucide.zip").open("rb") as packed, ZipFile(packed) as icons:
        for name in ICONS:
            drawing = ElementTree.fromstring(icons.read(f"{name}.svg"))  # noqa: S314 our package
            symbol = ElementTree.SubElement(
                sprite, f"{{{NAMESPACE}}}symbol", {"id": name, "viewBox": "0 0 24 24"}
            )
            symbol.extend(drawing)
    target.write_bytes(ElementTree.tostring(sprite))
