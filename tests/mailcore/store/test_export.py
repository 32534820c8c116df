"""store.export and its command: every message, byte for byte, in three forms."""

import base64
import json
import mailbox as stdlib_mailbox

import pytest
from django.core.management import CommandError, call_command

from mailcore.directory import domains, mailboxes
from mailcore.models.blob import Blob
from mailcore.rawmail import BlobDamaged
from mailcore.store import flags, folders, move
from mailcore.store.export import export_mailbox
from tests.support.deliveries import NOW, make_mailbox, make_message
from tests.support.mail_builders import rows, store

pytestmark = pytest.mark.django_db

FROM_LINES = "From here\r\n>From there\r\nend"


@pytest.fixture
def box():
    made = make_mailbox()
    ids = [
        *store(make_message(message_id="a@m.test", body=FROM_LINES), mailbox=made),
        *store(make_message(message_id="b@m.test", subject="ñ"), mailbox=made),
    ]
    work = folders.create(mailbox=made, name="Trabajo 2.0")
    deep = folders.create(mailbox=made, name="Año", parent_id=work)
    target = made.folders.get(public_id=deep)
    move.move(mailbox=made, message_ids=ids[1:], folder_id=target.pk)
    flags.set_seen(mailbox=made, message_ids=ids[1:], value=True)
    flags.set_flagged(mailbox=made, message_ids=ids[1:], value=True)
    return made


def test_json_lines_hold_each_message_whole(box, tmp_path):
    path = tmp_path / "out.jsonl"
    assert export_mailbox(mailbox=box, form="jsonl", path=path) == 2
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert (first["folder"], first["uid"], first["flags"]) == ("INBOX", 1, [])
    assert (second["folder"], second["flags"]) == ("Trabajo 2.0/Año", ["\\Flagged", "\\Seen"])
    raw = base64.b64decode(first["raw"])
    assert raw.endswith(make_message(message_id="a@m.test", body=FROM_LINES))
    assert (len(raw), first["received_at"]) == (first["size"], NOW.isoformat())
    assert sorted(line["sha256"] for line in (first, second)) == sorted(
        bytes(blob.sha256).hex() for blob in Blob.objects.all()
    )


def test_mbox_quotes_from_lines_so_that_they_come_back(box, tmp_path):
    path = tmp_path / "out.mbox"
    assert export_mailbox(mailbox=box, form="mbox", path=path) == 2
    text = path.read_bytes()
    assert b"\n>From here\n>>From there\nend\n" in text
    assert b"\r" not in text
    found = stdlib_mailbox.mbox(path)
    try:
        assert [message["Subject"] for message in found][:1] == ["Hello"]
        assert [message.get_flags() for message in found] == ["O", "ROF"]
    finally:
        found.close()


def test_maildir_has_a_directory_for_each_folder(box, tmp_path):
    path = tmp_path / "Maildir"
    assert export_mailbox(mailbox=box, form="maildir", path=path) == 2
    found = stdlib_mailbox.Maildir(path, create=False)
    assert sorted(found.list_folders()) == [
        "Archive",
        "Drafts",
        "Junk",
        "Sent",
        "Trabajo 2_0",
        "Trabajo 2_0.Año",
        "Trash",
    ]
    (message,) = found.get_folder("Trabajo 2_0.Año")
    assert message.get_flags() == "FS"
    (inbox_file,) = (path / "cur").iterdir()
    assert inbox_file.read_bytes().endswith(b">From there\r\nend\r\n")
    assert inbox_file.stat().st_mtime == NOW.timestamp()


def test_the_command_finds_the_mailbox_and_never_overwrites(tmp_path, capsys):
    domains.create_domain(name="hamburger.test", now=NOW)
    made = mailboxes.create_mailbox(address="Bob@hamburger.test", password="x" * 12, now=NOW)
    ids = store(make_message(message_id="c@m.test"), mailbox=made.mailbox)
    path = tmp_path / "out.jsonl"
    call_command("export_mailbox", "bob@hamburger.test", str(path), format="jsonl")
    assert capsys.readouterr().out == "1 messages exported\n"
    assert json.loads(path.read_text())["uid"] == rows(ids)[0].uid
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_mailbox", "bob@hamburger.test", str(path), format="jsonl")


def test_an_unknown_address_is_an_error(tmp_path):
    with pytest.raises(CommandError, match="no mailbox"):
        call_command("export_mailbox", "x@nowhere.test", str(tmp_path / "x"), format="mbox")


def test_damaged_octets_stop_the_export(box, tmp_path):
    Blob.objects.update(data=b"other", codec="")
    path = tmp_path / "x.jsonl"
    with pytest.raises(BlobDamaged):
        export_mailbox(mailbox=box, form="jsonl", path=path)
