"""Brings a copy back into an empty system: all files are read first, the database comes last.

What is interrupted leaves an empty system and can be run again. Never overwrites anything that
holds a row or a blob of something else. Migrating an older copy forward is `migrate`'s task.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from mailcore import conf
from mailcore.backup import database, keys, manifest
from mailcore.backup.errors import BackupError, Damage, Damaged
from mailcore.blobs import BlobMissing
from mailcore.models.blob import Blob
from mailcore.rawmail import blob_store


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back; `replaced_keys` are in force at the next start, `other_keys` differ."""

    info: manifest.Info
    replaced_keys: tuple[str, ...]
    other_keys: tuple[str, ...]
    pending_migrations: tuple[str, ...]


def restore(*, source: Path, any_keys: bool = False) -> Restored:
    """Fill this empty system from the copy in `source`.

    `any_keys` goes on though SECRETS_KEY is another one: what it encrypted is lost then.
    Raises Damaged naming every damaged file, BackupError, DatabaseError, OSError.
    """
    kind = database.current()
    info = manifest.read_info(source)
    if info.vendor != database.vendor():
        raise BackupError(f"the backup is of {info.vendor}, this system has {database.vendor()}")
    if found := manifest.damages(source, needed=(kind.FILE,)):
        raise Damaged(found)
    pending = _pending(info)
    _refuse_unless_empty(source)
    other = _other_keys(source, info, any_keys=any_keys)
    _put_blobs(source)
    replaced = keys.restore(source)
    kind.load(source)
    if missing := list(_missing_blobs()):
        raise Damaged(missing)
    return Restored(info, tuple(replaced), tuple(other), pending)


def _pending(info: manifest.Info) -> tuple[str, ...]:
    """Return the migrations that the copy lacks. Raises BackupError when it is the newer one."""
    known = MigrationLoader(None).disk_migrations
    ours = {f"{app}.{name}" for app, name in known}
    if unknown := sorted(set(info.migrations) - ours):
        raise BackupError(f"a newer version made the backup: {', '.join(unknown)} is not known")
    return tuple(sorted(ours - set(info.migrations)))


def _refuse_unless_empty(source: Path) -> None:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    for model in apps.get_app_config("mailcore").get_models():
        if model._meta.db_table in tables and model._base_manager.exists():
            raise BackupError(f"this system is not empty: {model._meta.db_table} has rows")
    ours = {*connection.introspection.django_table_names(), "django_migrations"}
    if strangers := {name for name in tables - ours if not name.startswith("mailcore_")}:
        raise BackupError(f"the database has tables of others: {', '.join(sorted(strangers))}")
    for stored in blob_store().stored_keys():
        if not (source / database.blob_path(stored.key)).exists():
            raise BackupError(f"this system is not empty: it has the blob {stored.key}")


def _other_keys(source: Path, info: manifest.Info, *, any_keys: bool) -> list[str]:
    """Return the keys that are not those of the copy and are not brought back with it."""
    ours = {name for name, key in conf.keys().items() if keys.is_replaceable(source, name, key)}
    other = [name for name in keys.others(info.fingerprints) if name not in ours]
    if "secrets_key" in other and not any_keys:
        raise BackupError(
            "SECRETS_KEY is not the one of the backup: what it encrypted could not be read."
            " Set that one, or give --any-keys"
        )
    return other


def _put_blobs(source: Path) -> None:
    for one in manifest.listed(source):
        if one.path.startswith(f"{database.BLOBS}/"):
            blob_store().put(Path(one.path).name, (source / one.path).read_bytes())


def _missing_blobs() -> Iterator[Damage]:
    """Yield what the database names and the store does not have."""
    rows = Blob.objects.exclude(key="").values_list("key", "size")
    for key, size in rows.iterator(chunk_size=2000):
        try:
            with blob_store().open_range(key, start=max(size - 1, 0), length=2) as reader:
                found = len(reader.read())
        except BlobMissing:
            found = -1
        if found != min(size, 1):
            yield Damage(database.blob_path(key), "is missing or has another length")
