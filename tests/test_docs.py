"""The documentation names files and variables that exist, and all variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.sources import ROOT, environment_variables

DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FILE = re.compile(r"`((?:mailcore|webmail|templates|static|tests|scripts|docs)/[\w./-]+\.\w+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def _variables_in_env_page() -> set[str]:
    page = (ROOT / "docs" / "env.md").read_text().partition("## Tests")[0]
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path):
    text = document.read_text()
    named = [ROOT / name for name in _FILE.findall(text)]
    linked = [document.parent / name for name in _LINK.findall(text)]
    assert [path for path in named + linked if not path.exists()] == []


def test_env_page_has_exactly_the_variables_that_settings_read():
    assert _variables_in_env_page() == environment_variables()


def test_every_management_command_of_the_readme_exists():
    commands = set(re.findall(r"manage\.py (\w+)", (ROOT / "README.md").read_text()))
    places = [ROOT / "mailcore/management/commands", ROOT / "webmail/mail/management/commands"]
    existing = {path.stem for place in places for path in place.glob("*.py")}
    assert commands - existing == set()
