"""Every string that templates and views mark for translation, found without GNU gettext.

Templates go through Django's own `templatize`; Python through its syntax tree.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from django.utils.translation.template import templatize

from tests.support.sources import ROOT, python_files

Entry = tuple[str, str, str]  # context, singular, plural
_CALL = re.compile(
    r"\b(_|gettext|ngettext|pgettext|npgettext)\((u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\")"
    r"(?:,\s*(u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\"))?(?:,\s*(u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\"))?"
)
_PYTHON = {
    "_": "gettext",
    "gettext": "gettext",
    "gettext_lazy": "gettext",
    "ngettext": "ngettext",
    "pgettext": "pgettext",
}


def marked() -> set[Entry]:
    """Return all marked strings of templates/, mailcore/ and webmail/."""
    found: set[Entry] = set()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        found.update(_in_template(path.read_text(encoding="utf-8")))
    for path in python_files("mailcore", "webmail"):
        found.update(_in_python(path.read_text(encoding="utf-8")))
    return found


def _in_template(source: str) -> Iterator[Entry]:
    for match in _CALL.finditer(templatize(source)):
        texts = [ast.literal_eval(text) for text in match.groups()[1:] if text]
        yield _entry(match[1], texts)


def _in_python(source: str) -> Iterator[Entry]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts = [
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
            if node.func.id in _PYTHON and texts:
                yield _entry(_PYTHON[node.func.id], texts)


def _entry(function: str, texts: list[str]) -> Entry:
    if function == "ngettext":
        return "", texts[0], texts[1]
    if function == "pgettext":
        return texts[0], texts[1], ""
    if function == "npgettext":
        return texts[0], texts[1], texts[2]
    return "", texts[0], ""
