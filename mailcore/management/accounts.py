"""Accounts of the demonstration and where their passwords are kept. Makes nothing: `demo` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mailcore import conf


@dataclass(frozen=True, slots=True)
class Account:
    """A login of the demonstration and its password, to be told once."""

    login: str
    password: str


def password_file() -> Path:
    """Return where the passwords of the demonstration are kept."""
    return conf.data_dir() / "demo-passwords.txt"
