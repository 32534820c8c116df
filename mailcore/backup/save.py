"""Makes a copy of the system while it runs: first the database, then each blob that it names.

Blobs never change and none is deleted meanwhile, so all that the database names is there. Written
beside its place and renamed at the end; what an interrupted run has copied is used again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from mailcore import conf
from mailcore.backup import database, keys, manifest
from mailcore.backup.errors import BackupError, Damaged
from mailcore.blobs import BlobMissing, Kept
from mailcore.models.blob import Blob
from mailcore.rawmail import blob_store

_CHUNK = 2**20


@dataclass(slots=True)
class Seen:
    """What the database of the copy says: its migrations, and its blobs in a list of files."""

    migrations: tuple[str, ...] = ()
    blob_count: int = 0
    blob_bytes: int = 0


def save(
    *, target: Path, now: datetime, reuse: Path | None = None, with_keys: bool = False
) -> manifest.Info:
    """Write a copy to `target`, which must not exist, and read all of it back.

    Blobs that the earlier copy `reuse` has are linked to it instead of copied (one file system).
    Raises BackupError, Damaged for what the disk gives back wrongly, DatabaseError, OSError.
    """
    target = target.absolute()
    if target.exists():
        raise BackupError(f"{target} exists already")
    partial = target.with_name(f"{target.name}.partial")
    partial.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with blob_store().keep():
            info = _write(partial, now=now, reuse=reuse, with_keys=with_keys)
    except Kept as error:
        raise BackupError("another backup of this system is running") from error
    database.current().check_dump(partial)
    found = manifest.damages(partial, needed=(database.current().FILE,))
    if found:
        raise Damaged(found)
    partial.rename(target)
    manifest.sync(target.parent)
    return info


def _write(partial: Path, *, now: datetime, reuse: Path | None, with_keys: bool) -> manifest.Info:
    kind, seen = database.current(), Seen()
    listing = partial / manifest.LIST
    with listing.open("w") as lines:
        kind.dump(partial, look=lambda alias: lines.writelines(_blobs(alias, seen)))
    shutil.rmtree(partial / keys.DIRECTORY, ignore_errors=True)
    others = [kind.FILE, manifest.INFO, *(keys.save(partial) if with_keys else ())]
    info = manifest.Info(
        made_at=now.isoformat(),
        hostname=conf.hostname(),
        vendor=database.vendor(),
        server=kind.server(),
        migrations=seen.migrations,
        file_count=seen.blob_count + len(others),
        blob_count=seen.blob_count,
        blob_bytes=seen.blob_bytes,
        fingerprints=keys.fingerprints(),
    )
    manifest.write_info(partial, info)
    _copy_blobs(partial, reuse)
    with listing.open("a") as lines:
        for name in others:
            manifest.sync(partial / name)
            lines.write(manifest.line(name, manifest.digest_of(partial / name)))
    _sync_directories(partial)
    return info


def _blobs(alias: str, seen: Seen) -> Iterator[str]:
    """Yield the lines of all blobs that the copied database keeps in files."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    seen.migrations = tuple(sorted(f"{app}.{name}" for app, name in applied))
    rows = Blob.objects.using(alias).exclude(key="").order_by("key")
    for key, sha256, size in rows.values_list("key", "sha256", "size").iterator(chunk_size=2000):
        seen.blob_count += 1
        seen.blob_bytes += size
        yield manifest.line(database.blob_path(key), bytes(sha256).hex())


def _copy_blobs(partial: Path, reuse: Path | None) -> None:
    """Bring every blob of the list; remove what an interrupted run left and none names."""
    named = set()
    for one in manifest.listed(partial):
        named.add(one.path)
        _copy(one, partial, reuse)
    for path in (partial / database.BLOBS).rglob("*"):
        if path.is_file() and path.relative_to(partial).as_posix() not in named:
            path.unlink()


def _copy(one: manifest.Listed, partial: Path, reuse: Path | None) -> None:
    path = partial / one.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and manifest.digest_of(path) == one.sha256:
        return
    path.unlink(missing_ok=True)
    if reuse and _link(reuse / one.path, path) and manifest.digest_of(path) == one.sha256:
        return
    path.unlink(missing_ok=True)
    _copy_octets(one, path)


def _link(earlier: Path, path: Path) -> bool:
    """Make `path` another name of the earlier file; tell whether that was possible."""
    try:
        os.link(earlier, path)
    except OSError:
        return False
    return True


def _copy_octets(one: manifest.Listed, path: Path) -> None:
    digest = hashlib.sha256()
    try:
        with (
            blob_store().open_range(path.name, start=0, length=2**62) as source,
            path.open("xb") as copy,
        ):
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
    except BlobMissing as error:
        raise BackupError(f"the blob {path.name} is missing: see verify_store") from error
    if digest.hexdigest() != one.sha256:
        raise BackupError(f"the blob {path.name} is damaged: see verify_store")


def _sync_directories(top: Path) -> None:
    manifest.sync(top / manifest.LIST)
    for path in [top, *top.rglob("*")]:
        if path.is_dir():
            manifest.sync(path)
