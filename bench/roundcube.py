"""The peer of reading: Roundcube 1.6 on PHP's own server before Dovecot with one Maildir.

Both as Debian ships them, with opcode cache, without a full-text plugin: what a machine has after
installing the packages. Configuration, database and mail lie in one directory of the bench.
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from urllib.parse import quote

from bench.errands import Step
from bench.mailbox import ARCHIVED, COMMON, PHRASE, RARE, Made, archived, messages
from bench.server import end, open_log
from bench.visitor import Visitor, hidden
from tests.support.servers import free_port, wait_for_port

_HOME = Path("/usr/share/roundcube")
_OWNER = "nobody"
_PAGE = 50
_MAIL = ("cur", "new", "tmp", ".Archive/cur", ".Archive/new", ".Archive/tmp", ".Trash/cur")
_DOVECOT = """
base_dir = {directory}/dovecot
state_dir = {directory}/dovecot
log_path = {directory}/dovecot.log
protocols = imap
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{mail}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail} allow_all_users=yes
}}
passdb {{
  driver = static
  args = nopassword=y
}}
first_valid_uid = 1
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""
_CONFIGURATION = """<?php
$config = [];
$config['db_dsnw'] = 'sqlite:///{database}?mode=0600';
$config['imap_host'] = '127.0.0.1:{port}';
$config['smtp_host'] = '127.0.0.1:9';
$config['des_key'] = '{key}';
$config['plugins'] = [];
$config['skin'] = 'elastic';
$config['log_driver'] = 'file';
$config['log_dir'] = '{directory}/logs/';
$config['temp_dir'] = '{directory}/temp/';
$config['mail_pagesize'] = {page};
$config['session_lifetime'] = 600;
$config['login_rate_limit'] = 1000;
"""


def missing() -> str:
    """Return why the peer cannot be measured here, or an empty string."""
    if not shutil.which("php") or not _HOME.exists():
        return "Roundcube is not installed (Debian: roundcube-core roundcube-sqlite3 php-cli)"
    if not shutil.which("dovecot") or not Path("/usr/lib/dovecot/imap").exists():
        return "Dovecot's IMAP server is not installed (Debian: dovecot-imapd)"
    return "" if os.getuid() == 0 else "Dovecot needs root to switch to the mail's owner"


class Roundcube:
    """Roundcube and Dovecot in `directory` with `count` messages."""

    name = "Roundcube + Dovecot"

    def __init__(self, directory: Path, *, count: int) -> None:
        self._directory = directory
        self._count = count
        self._imap_port, self._port = free_port(), free_port()
        self._visitor = Visitor(self._port)
        self._random = Random(1)  # noqa: S311 - which message, not a secret
        self._running: list[subprocess.Popen[bytes]] = []
        self._token = ""

    def start(self) -> None:
        """Write mail and configuration, start both and sign in."""
        for place in ("logs", "temp", "etc", *(f"mail/{place}" for place in _MAIL)):
            (self._directory / place).mkdir(parents=True, exist_ok=True)
        note = self._directory / "contents"
        if not note.exists() or note.read_text() != str(self._count):
            self._fill("mail/cur", messages(self._count))
            self._fill("mail/.Archive/cur", archived(min(self._count, ARCHIVED)))
            self._give_away()
            note.write_text(str(self._count))
        self._configure()
        self._run("dovecot", "-F", "-c", str(self._directory / "dovecot.conf"))
        wait_for_port(self._imap_port, seconds=30)
        php = ("-d", "opcache.enable_cli=1", "-d", "memory_limit=512M")
        self._run("php", *php, "-S", f"127.0.0.1:{self._port}", "-t", str(_HOME))
        wait_for_port(self._port, seconds=30)
        self._sign_in()

    def stop(self) -> None:
        """Stop both."""
        self._visitor.close()
        for process in reversed(self._running):
            end(process)

    def errands(self) -> Mapping[str, Iterator[Step]]:
        """See `errands.Reader`. A search begins with the whole mailbox each time."""
        words = {"rare word": RARE, "common word": COMMON, "phrase": PHRASE, "prefix": COMMON[:4]}
        return {
            "list by date": self._lists("&_page=1"),
            "list by conversation": self._lists("&_page=1&_threads=1"),
            "list, deep page": self._deep_pages(),
            "open a message": self._openings(),
            **{f"search: {name}": self._searches(word) for name, word in words.items()},
            "move 10,000": self._moves(),
        }

    def _lists(self, which: str) -> Iterator[Step]:
        while True:
            yield lambda: self._visitor.get(self._remote("list", which))

    def _deep_pages(self) -> Iterator[Step]:
        while True:
            pages = self._count // _PAGE
            page = self._random.randrange(pages * 4 // 10, max(pages * 6 // 10, 1))
            yield partial(self._visitor.get, self._remote("list", f"&_page={page}"))

    def _openings(self) -> Iterator[Step]:
        while True:
            uid = self._random.randrange(1, self._count)
            path = f"/?_task=mail&_action=show&_uid={uid}&_mbox=INBOX"
            yield partial(self._visitor.get, path)

    def _searches(self, word: str) -> Iterator[Step]:
        asked = f"&_q={quote(word)}&_headers=text&_scope=base&_interval="
        while True:
            yield lambda: self._visitor.get(self._remote("search", asked))

    def _moves(self) -> Iterator[Step]:
        for here, there in cycle((("Archive", "Trash"), ("Trash", "Archive"))):
            form = {"_uid": "*", "_mbox": here, "_target_mbox": there}
            form |= {"_remote": "1", "_token": self._token}
            yield partial(self._visitor.post, "/?_task=mail&_action=move", form)

    def _remote(self, action: str, more: str) -> str:
        return f"/?_task=mail&_action={action}&_mbox=INBOX&_remote=1&_token={self._token}{more}"

    def _sign_in(self) -> None:
        page = self._visitor.get("/?_task=login").text
        form = {
            "_token": hidden(page, "_token"),
            "_task": "login",
            "_action": "login",
            "_user": "bench",
            "_pass": "anything",
            "_host": f"127.0.0.1:{self._imap_port}",
        }
        answer = self._visitor.post("/?_task=login", form)
        found = re.search(r'"request_token":"([^"]+)"', answer.text)
        if not found:
            raise LookupError("no token after signing in to Roundcube")
        self._token = found.group(1)

    def _fill(self, folder: str, made_messages: Iterator[Made]) -> None:
        place = self._directory / folder
        for number, made in enumerate(made_messages):
            at = int(made.at.timestamp())
            file = place / f"{at}.{number}.bench:2,{'S' if made.is_seen else ''}"
            file.write_bytes(made.raw)
            os.utime(file, (at, at))

    def _give_away(self) -> None:
        owner = pwd.getpwnam(_OWNER)
        for folder, _, files in os.walk(self._directory / "mail"):
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            for file_name in files:
                os.chown(os.path.join(folder, file_name), owner.pw_uid, owner.pw_gid)  # noqa: PTH118

    def _configure(self) -> None:
        owner = pwd.getpwnam(_OWNER)
        database = self._directory / "roundcube.sqlite3"
        database.unlink(missing_ok=True)
        with sqlite3.connect(database) as connection:
            connection.executescript((_HOME / "SQL/sqlite.initial.sql").read_text())
        names = {
            "directory": self._directory,
            "database": database,
            "mail": self._directory / "mail",
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
            "port": self._imap_port,
            "page": _PAGE,
            "key": secrets.token_hex(12),
        }
        (self._directory / "dovecot.conf").write_text(_DOVECOT.format(**names))
        (self._directory / "etc/config.inc.php").write_text(_CONFIGURATION.format(**names))
        for name in ("defaults.inc.php", "mimetypes.php"):
            link = self._directory / "etc" / name
            link.unlink(missing_ok=True)
            link.symlink_to(Path("/etc/roundcube") / name)

    def _run(self, *command: str) -> None:
        with open_log(self._directory / "start.log") as log:
            self._running.append(
                subprocess.Popen(
                    command,
                    env={**os.environ, "ROUNDCUBE_CONFIG_DIR": f"{self._directory}/etc"},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
