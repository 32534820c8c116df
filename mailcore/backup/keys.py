"""The keys of a system beside its data: told apart by fingerprints, copied only when asked.

A copy with SECRETS_KEY opens what the database keeps encrypted, so it is left out by default.
A certificate that we signed ourselves goes along; one of an authority stays where it is kept.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mailcore import conf
from mailcore.backup.errors import BackupError

DIRECTORY = "keys"
_SELF_SIGNED = "tls"


def fingerprints() -> dict[str, str]:
    """Return 32 bits of each key by name: enough to notice another one, too few to guess it."""
    return {name: _fingerprint(key) for name, key in conf.keys().items()}


def _fingerprint(key: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", key.encode(), b"casilla backup", 200_000)[:4].hex()


def save(directory: Path) -> Iterator[str]:
    """Write the keys below `directory`, mode 0600, and yield their paths. Raises OSError."""
    for name, key in conf.keys().items():
        yield _write(directory, f"{DIRECTORY}/{name}", key.encode())
    for path in sorted((conf.data_dir() / _SELF_SIGNED).glob("self-signed.*")):
        if path.suffix in {".key", ".pem"}:
            yield _write(directory, f"{DIRECTORY}/{_SELF_SIGNED}/{path.name}", path.read_bytes())


def _write(directory: Path, name: str, data: bytes) -> str:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_name(f"{path.name}.new")
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
    return name


def others(saved: Mapping[str, str]) -> list[str]:
    """Return the names of keys that are not those of the copy."""
    mine = fingerprints()
    return [name for name, value in saved.items() if mine.get(name) != value]


def restore(source: Path) -> list[str]:
    """Put the keys of a copy where this system keeps its own; return the names that are in force.

    Only keys that we once made ourselves, files of DATA_DIR, are replaced: what the environment
    gives stays. They are read at the next start. Raises OSError, BackupError.
    """
    in_force = []
    for name, key in conf.keys().items():
        if is_replaceable(source, name, key):
            _write(conf.data_dir(), name, (source / DIRECTORY / name).read_bytes())
            in_force.append(name)
    for path in sorted((source / DIRECTORY / _SELF_SIGNED).glob("self-signed.*")):
        _write(conf.data_dir(), f"{_SELF_SIGNED}/{path.name}", path.read_bytes())
    return in_force


def is_replaceable(source: Path, name: str, key: str) -> bool:
    """Tell whether the copy has this key and ours is a file that we made. Raises BackupError."""
    path = conf.data_dir() / name
    try:
        is_ours = path.read_text().strip() == key
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"{path} cannot be read: {error!r}") from error
    return is_ours and (source / DIRECTORY / name).exists()
