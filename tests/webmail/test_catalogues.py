"""Catalogues: every marked string has a Spanish one, with the same placeholders."""

import re
from pathlib import Path

import polib

from tests.support.catalogue import marked
from webmail.assets.catalogues import compile_catalogues

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"%\(\w+\)[ds]|#")


def _spanish() -> dict[tuple[str, str], polib.POEntry]:
    catalogue = polib.pofile(str(ROOT / "locale" / "es" / "LC_MESSAGES" / "django.po"))
    return {(entry.msgctxt or "", entry.msgid): entry for entry in catalogue}


def test_every_marked_string_is_translated_and_no_other():
    known = {(context, text) for context, text, _ in marked()}
    spanish = _spanish()
    assert known == set(spanish)
    assert [key for key, entry in spanish.items() if not entry.translated()] == []


def test_plurals_and_placeholders_are_kept():
    spanish = _spanish()
    for context, text, plural in marked():
        entry = spanish[context, text]
        forms = list(entry.msgstr_plural.values()) if plural else [entry.msgstr]
        assert len(forms) == (2 if plural else 1)
        for form in forms:
            assert sorted(PLACEHOLDER.findall(form)) == sorted(PLACEHOLDER.findall(text)), text


def test_catalogues_compile_without_gettext(tmp_path):
    compile_catalogues(source=ROOT / "locale", target=tmp_path)
    compiled = sorted(path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.mo"))
    assert compiled == ["en", "es"]
