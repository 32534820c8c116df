"""Rules and budgets of style sheets, scripts and templates; assets that are cut from packages."""

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from webmail.assets import build, sprite
from webmail.importmap import MODULES

ROOT = Path(__file__).resolve().parents[2]
SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
ENTRIES = {"app", "console", "settings"}  # named by a page; all others by the import map
OWN_SCRIPT_BYTES = 10 * 1024
ALL_SCRIPT_BYTES = 30 * 1024
SHEET_BYTES = 50 * 1024
FONT_BYTES = 40 * 1024
SPRITE_BYTES = 6 * 1024


def _gz(data: bytes) -> int:
    return len(gzip.compress(data, 9))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_style_sheets_keep_the_rules(sheet):
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.S)
    assert len(text) <= SHEET_BYTES
    assert "!important" not in text
    assert not re.search(r"(^|[\s,>}])#[a-z][\w-]*\s*[{,:.\[]", text, re.M)
    physical = r"(?<![\w-])(margin|padding|border)-(left|right|top|bottom)\s*:"
    assert not re.search(physical, text)


def test_own_scripts_fit_before_the_list_answers_and_in_all():
    eager = {"app", *re.findall(r'^import "app/(\w+)";', _script("app"), re.M)}
    eager |= {name for one in eager for name in re.findall(r'from "app/(\w+)";', _script(one))}
    assert sum(_gz(_script(name).encode()) for name in eager) <= OWN_SCRIPT_BYTES
    assert sum(_gz(path.read_bytes()) for path in SCRIPTS) <= ALL_SCRIPT_BYTES
    assert {path.stem for path in SCRIPTS} == {*MODULES, *ENTRIES}


def _script(name: str) -> str:
    return (ROOT / "static" / "js" / f"{name}.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_style_no_handler_and_nothing_marked_safe(template):
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"\|\s*safe\b|autoescape off|hx-on|js:", text)


def test_assets_are_built_once_and_are_small(tmp_path):
    where = {"assets": tmp_path / "a", "locale_target": tmp_path / "l"}
    build.build(locale_source=ROOT / "locale", **where)
    font = tmp_path / "a" / "font" / "inter.woff2"
    icons = tmp_path / "a" / "img" / "icons.svg"
    assert font.stat().st_size <= FONT_BYTES
    assert _gz(icons.read_bytes()) <= SPRITE_BYTES
    names = {symbol.get("id") for symbol in ElementTree.parse(icons).getroot()}
    assert names == set(sprite.ICONS)
    before = font.stat().st_mtime_ns
    build.build(locale_source=ROOT / "locale", **where)
    assert font.stat().st_mtime_ns == before
