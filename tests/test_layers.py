"""The import contracts of pyproject.toml hold, and bite when somebody breaks one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import PACKAGES, ROOT

BREACHES = {
    "a pure package imports Django": ("mailcore/mime/breach.py", "import django"),
    "a lower layer imports a higher one": (
        "mailcore/rawmail/breach.py",
        "from mailcore.store import deliver",
    ),
    "the mail system imports a front end": ("mailcore/store/breach.py", "import webmail.urls"),
    "a view imports a table": ("webmail/mail/breach.py", "from mailcore.models import folder"),
    "a stranger imports messages": (
        "mailcore/delivery/breach.py",
        "from mailcore.models.message import Message",
    ),
    "somebody else imports aiosmtpd": ("mailcore/delivery/breach.py", "import aiosmtpd"),
    "somebody else imports dnspython": ("mailcore/delivery/breach.py", "import dns.resolver"),
    "somebody else imports Celery": ("mailcore/delivery/breach.py", "import celery"),
    "a package without a layer": ("mailcore/breach/__init__.py", ""),
}


def _lint(directory: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache"], cwd=directory, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    return tmp_path


def test_the_contracts_hold():
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("breach", BREACHES)
def test_a_planted_breach_is_found(copy: Path, breach: str):
    place, line = BREACHES[breach]
    (copy / place).parent.mkdir(exist_ok=True)
    (copy / place).write_text(f'"""Planted."""\n\n{line}\n')
    done = _lint(copy)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout or "not listed as layers" in done.stdout, done.stdout
