"""A backup brought back on another machine is the same system (G14), on either database."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.utils import timezone

from mailcore import rawmail
from mailcore.blobs import Kept
from mailcore.models.blob import Blob
from mailcore.rawmail import blob_store
from mailcore.store import flags, folders, move
from tests.support.deliveries import make_message
from tests.support.machines import Machine, another_machine, this_machine
from tests.support.mail_builders import store
from tests.support.people import Person, make_alice, make_bob
from tests.support.queued import make_attempt, make_queued
from tests.support.queueing import queue_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LARGE = "x" * 70 + "\r\n"


@pytest.fixture
def alice() -> Person:
    """A system in use: two people, small and large mail, flags, folders, a queue in all states."""
    alice, bob = make_alice(), make_bob()
    raws = [make_message(message_id=f"{n}@m.test", body=LARGE * n * 500) for n in range(4)]
    ids = store(*raws, mailbox=alice.mailbox)
    store(*raws[2:], mailbox=bob.mailbox)
    work = folders.create(mailbox=alice.mailbox, name="Año")
    target = alice.mailbox.folders.get(public_id=work)
    move.move(mailbox=alice.mailbox, message_ids=ids[:1], folder_id=target.pk)
    flags.set_seen(mailbox=alice.mailbox, message_ids=ids[:2], value=True)
    queue_message("x@one.example", "y@two.example")
    waiting = make_queued("z@three.example", state="held", last_reply="451 4.3.0 later")
    make_attempt(waiting[0])
    make_queued("w@four.example", state="delivered")
    return alice


def run(*arguments: str | Path) -> str:
    return this_machine().tell(*arguments)


def refusal(*arguments: str | Path) -> str:
    done = this_machine().run(*arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def listing(tell, directory: Path) -> list[str]:
    """Return every message of both mailboxes, and the queue, as the commands print them."""
    directory.mkdir()
    for name in ("alice", "bob"):
        tell("export_mailbox", f"{name}@hamburger.test", "--format", "jsonl", directory / name)
    return [
        *(directory / "alice").read_text().splitlines(),
        *(directory / "bob").read_text().splitlines(),
        tell("queue", "--json"),
    ]


def blob_files(backup: Path) -> list[Path]:
    return sorted(path for path in (backup / "blobs").rglob("*") if path.is_file())


def lines_of(backup: Path) -> int:
    return len((backup / "SHA256SUMS").read_text().splitlines())


def test_a_backup_restored_elsewhere_has_the_same_mail_and_queue(alice, tmp_path):
    before = listing(run, tmp_path / "before")
    said = run("backup", tmp_path / "copy")
    assert "2 blobs" in said
    assert "not in it: SECRET_KEY, SECRETS_KEY" in said
    with another_machine(tmp_path / "var") as machine:
        assert "restored what localhost had at 20" in machine.tell("restore", tmp_path / "copy")
        assert listing(machine.tell, tmp_path / "after") == before
        assert machine.tell("verify_store") == "0 findings\n"
        assert "No planned migration operations" in machine.tell("migrate", "--plan")
        machine.tell("create_mailbox", "eve@hamburger.test")  # sequences go on
    assert len(before) == 4 + 2 + 1
    assert len(before[-1].splitlines()) == 4


def test_a_second_restore_and_one_over_other_mail_are_refused(alice, tmp_path):
    run("backup", tmp_path / "copy")
    with another_machine(tmp_path / "var") as machine:
        machine.tell("migrate")  # empty tables are no obstacle
        machine.tell("restore", tmp_path / "copy")
        again = machine.run("restore", tmp_path / "copy")
    assert again.returncode == 1
    assert again.stderr.startswith(
        "CommandError: not restored: this system is not empty: mailcore_"
    )


def test_a_blob_of_something_else_stops_a_restore(alice, tmp_path):
    run("backup", tmp_path / "copy")
    stranger = tmp_path / "var" / "blobs" / "ab" / "cd" / ("abcd" * 16)
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"other")
    with another_machine(tmp_path / "var") as machine:
        done = machine.run("restore", tmp_path / "copy")
    assert f"it has the blob {stranger.name}" in done.stderr


@pytest.mark.parametrize("what", ["blob", "database", "cut", "missing", "list", "info", "json"])
def test_damage_is_found_and_named_before_anything_is_changed(alice, tmp_path, what):
    run("backup", tmp_path / "copy")
    named = damage(tmp_path / "copy", what)
    with another_machine(tmp_path / "var") as machine:
        done = machine.run("restore", tmp_path / "copy")
        assert done.returncode == 1
        assert done.stderr.startswith("CommandError: not restored: damaged: ")
        assert named in done.stderr
        assert not (machine.data / "blobs").exists()


def damage(backup: Path, what: str) -> str:
    """Do harm to a backup and return what has to be named."""
    database = next(backup.glob("database.*"))
    path = {
        "blob": blob_files(backup)[0],
        "info": backup / "backup.json",
        "json": backup / "backup.json",
    }.get(what, database)
    if what == "missing":
        path = blob_files(backup)[1]
        path.unlink()
    elif what == "list":
        path = backup / "SHA256SUMS"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    elif what == "json":
        path.write_bytes(path.read_bytes().replace(b'"made_at"', b'"made_at'))
    else:
        octets = bytearray(path.read_bytes())
        octets[len(octets) // 2] ^= 1
        path.write_bytes(octets)
    return path.relative_to(backup).as_posix()


def test_sha256sum_can_read_the_list(alice, tmp_path):
    run("backup", tmp_path / "copy")
    listed = (tmp_path / "copy" / "SHA256SUMS").read_text().splitlines()
    names = {line.split("  ", 1)[1] for line in listed}
    files = {p.relative_to(tmp_path / "copy").as_posix() for p in (tmp_path / "copy").rglob("*")}
    assert names == {f for f in files if (tmp_path / "copy" / f).is_file()} - {"SHA256SUMS"}


def test_nothing_is_overwritten_and_a_killed_run_is_taken_up(alice, tmp_path):
    run("backup", tmp_path / "one")
    assert "exists already" in refusal("backup", tmp_path / "one")
    # As a run killed in the middle leaves it: one blob whole, one half, one that nobody names.
    partial = tmp_path / "two.partial"
    whole, half = blob_files(tmp_path / "one")
    for path in (whole, half):
        target = partial / path.relative_to(tmp_path / "one")
        target.parent.mkdir(parents=True)
        target.write_bytes(path.read_bytes())
    kept = (partial / whole.relative_to(tmp_path / "one")).stat().st_ino
    (partial / half.relative_to(tmp_path / "one")).write_bytes(b"half")
    (partial / "blobs" / "stray").write_bytes(b"of another time")
    (partial / "database.sqlite3-wal").write_bytes(b"rest")
    run("backup", tmp_path / "two")
    assert not partial.exists()
    assert (tmp_path / "two" / whole.relative_to(tmp_path / "one")).stat().st_ino == kept
    assert [p.name for p in blob_files(tmp_path / "two")] == [whole.name, half.name]


def test_an_earlier_backup_is_reused_unless_it_is_damaged(alice, tmp_path):
    run("backup", tmp_path / "one")
    first, second = blob_files(tmp_path / "one")
    second.write_bytes(b"damaged since")
    run("backup", tmp_path / "two", "--reuse", tmp_path / "one")
    linked = [path.stat().st_nlink for path in blob_files(tmp_path / "two")]
    assert linked == [2, 1]
    assert first.samefile(blob_files(tmp_path / "two")[0])


def test_a_missing_or_damaged_blob_of_the_system_is_named_and_no_backup_appears(alice, tmp_path):
    keys = sorted(Blob.objects.exclude(key="").values_list("key", flat=True))
    path = settings.DATA_DIR / "blobs" / keys[0][:2] / keys[0][2:4] / keys[0]
    octets = path.read_bytes()
    path.write_bytes(b"damaged")
    assert f"the blob {keys[0]} is damaged" in refusal("backup", tmp_path / "copy")
    path.unlink()
    assert f"the blob {keys[0]} is missing" in refusal("backup", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    path.write_bytes(octets)
    run("backup", tmp_path / "copy")


def test_a_backup_made_while_mail_comes_and_goes_is_one_moment(alice, tmp_path):
    stop = threading.Event()
    delivered: list[UUID] = []

    def deliver() -> None:
        try:
            while not stop.is_set():
                n = len(delivered)
                body = f"{n} " + LARGE * 1200
                delivered.extend(
                    store(
                        make_message(message_id=f"live{n}@m.test", body=body), mailbox=alice.mailbox
                    )
                )
        finally:
            connections.close_all()

    writer = threading.Thread(target=deliver)
    writer.start()
    try:
        for number in range(3):
            run("backup", tmp_path / str(number))
    finally:
        stop.set()
        writer.join()
    assert len(delivered) > 3
    with another_machine(tmp_path / "var") as machine:
        machine.tell("restore", tmp_path / "2")
        assert machine.tell("verify_store") == "0 findings\n"
        counted = machine.tell(
            "export_mailbox", "alice@hamburger.test", "--format", "jsonl", tmp_path / "out"
        )
    assert 4 <= int(counted.split()[0]) <= 4 + len(delivered)


def test_two_backups_at_a_time_are_refused_and_nothing_is_collected_meanwhile(alice, tmp_path):
    key = str(Blob.objects.exclude(key="").values_list("key", flat=True)[0])
    with blob_store().keep():
        assert blob_store().delete(key) is False
        assert "another backup of this system is running" in refusal("backup", tmp_path / "copy")
        with pytest.raises(Kept), blob_store().keep():
            pass
    rawmail.collect(now=timezone.now())


def test_keys_and_sign_ins_stay_out_unless_keys_are_asked_for(alice, tmp_path):
    Session.objects.create(
        session_key="s3ss10nk3ys3ss10nk3y",
        session_data="what nobody should carry away",
        expire_date=timezone.now() + timedelta(days=1),
    )
    run("backup", tmp_path / "without")
    run("backup", tmp_path / "with", "--with-keys")
    assert Session.objects.count() == 1
    secrets = (settings.SECRET_KEY.encode(), settings.SECRETS_KEY.encode())
    without = b"".join(p.read_bytes() for p in (tmp_path / "without").rglob("*") if p.is_file())
    assert [secret in without for secret in secrets] == [False, False]
    assert b"s3ss10nk3y" not in without
    for name, secret in zip(("secret_key", "secrets_key"), secrets, strict=True):
        path = tmp_path / "with" / "keys" / name
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (secret, 0o600)
    assert (tmp_path / "with").stat().st_mode & 0o777 == 0o700


def test_another_secrets_key_is_refused_until_it_is_wanted(alice, tmp_path):
    run("backup", tmp_path / "copy")
    with another_machine(tmp_path / "var") as machine:
        machine.environment["SECRETS_KEY"] = "another " * 8
        done = machine.run("restore", tmp_path / "copy")
        assert "SECRETS_KEY is not the one of the backup" in done.stderr
        said = machine.tell("restore", tmp_path / "copy", "--any-keys")
    assert "other keys than in the backup: secrets_key\n" in said


def test_keys_that_an_embedded_system_made_come_back_with_it(tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("with PostgreSQL keys are always given")
    old, new = Machine(tmp_path / "old"), Machine(tmp_path / "new")
    old.tell("migrate")
    old.tell("create_domain", "hamburger.test")
    old.tell("backup", tmp_path / "copy", "--with-keys")
    assert "keys are those of the backup: secret_key, secrets_key" in new.tell(
        "restore", tmp_path / "copy"
    )
    for name in ("secret_key", "secrets_key"):
        assert (new.data / name).read_text() == (old.data / name).read_text()
    # Without them the new machine's own key is another one.
    old.tell("backup", tmp_path / "bare")
    assert Machine(tmp_path / "third").run("restore", tmp_path / "bare").returncode == 1


def test_what_cannot_be_read_is_said(alice, tmp_path):
    run("backup", tmp_path / "copy")
    info = tmp_path / "copy" / "backup.json"
    values = json.loads(info.read_text())
    with another_machine(tmp_path / "var") as machine:
        assert "is no backup" in machine.run("restore", tmp_path).stderr
        info.write_text(json.dumps(values | {"vendor": "oracle"}))
        assert "the backup is of oracle" in machine.run("restore", tmp_path / "copy").stderr
        info.write_text(json.dumps(values | {"format": 2}))
        assert "a newer version made it" in machine.run("restore", tmp_path / "copy").stderr


def test_a_backup_of_a_newer_version_is_refused_and_an_older_one_is_migrated(alice, tmp_path):
    run("backup", tmp_path / "copy")
    info = tmp_path / "copy" / "backup.json"
    values = json.loads(info.read_text())
    values["migrations"].append("mailcore.9999_of_the_future")
    info.write_text(json.dumps(values))
    fix_digest(tmp_path / "copy", "backup.json")
    with another_machine(tmp_path / "var") as machine:
        done = machine.run("restore", tmp_path / "copy")
    assert "a newer version made the backup: mailcore.9999_of_the_future" in done.stderr


def fix_digest(backup: Path, name: str) -> None:
    """Let the list say that a file is as it is now."""
    path = backup / "SHA256SUMS"
    kept = [line for line in path.read_text().splitlines() if not line.endswith(f"  {name}")]
    digest = hashlib.sha256((backup / name).read_bytes()).hexdigest()
    path.write_text("\n".join([*kept, f"{digest}  {name}"]) + "\n")


def test_without_the_client_programs_the_message_says_what_to_install(alice, tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite needs no program")
    with another_machine(tmp_path / "var") as machine:
        machine.environment["PATH"] = str(tmp_path)
        machine.tell("migrate")
        done = machine.run("backup", tmp_path / "copy")
    assert done.returncode == 1
    assert "pg_dump is not here: install PostgreSQL's client programs" in done.stderr


def test_a_backup_of_sqlite_is_one_plain_file(alice, tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    run("backup", tmp_path / "copy")
    assert [p.name for p in (tmp_path / "copy").glob("database*")] == ["database.sqlite3"]
    with sqlite3.connect(tmp_path / "copy" / "database.sqlite3") as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    copy.close()
