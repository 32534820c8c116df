"""What the commands that make things have in common: passwords, sizes, exit codes.

Exit 1 with one line when something cannot be done, 2 when the command line is wrong.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError, CommandParser

from mailcore.directory import users
from mailcore.directory.errors import DirectoryError, NotUsable

_SIZE = re.compile(r"([0-9]{1,9})([KMGT]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def add_password(parser: CommandParser, *, required: bool = False) -> None:
    """Add `--password-stdin`."""
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        required=required,
        help="read the password from the first line of standard input",
    )


def read_password() -> str:
    """Return the first line of standard input; exit 2 when it is empty or too long."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not 0 < len(password) <= users.PASSWORD_CHARS:
        raise CommandError("there is no usable password on standard input", returncode=2)
    return password


def size(text: str) -> int:
    """Return the octets of `1G`, `500M` or a plain number; an argparse type."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"not a size such as 500M or 1G: {text!r}")
    return int(match[1]) * _UNITS[match[2].upper()]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what the directory refuses into one line: a bad name exits 2, the rest 1."""
    try:
        yield
    except NotUsable as error:
        raise CommandError(str(error), returncode=2) from error
    except DirectoryError as error:
        raise CommandError(str(error), returncode=1) from error
