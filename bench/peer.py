"""The peer under test: Postfix -> LMTP -> Dovecot, one Maildir a mailbox.

Both with configuration, queue and ports of their own under one directory; the machine's own
instances are not touched. Both as Debian ships them: fsync on, logs to a file, no milter.
Postfix's in_flow_delay is off: it holds clients back on purpose and would spoil its latency.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path

from bench.server import DOMAIN, RECIPIENTS, end, open_log
from tests.support.servers import free_port, wait_for_port

_OWNER = "nobody"
MASTER = Path("/usr/share/postfix/master.cf.dist")
_LMTPD = Path("/usr/lib/dovecot/lmtp")

_MAIN_CF = """
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {state}
maillog_file = {directory}/postfix.log
maillog_file_prefixes = {directory}
inet_protocols = ipv4
myhostname = peer.bench.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{configuration}/people
virtual_transport = lmtp:unix:{directory}/lmtp
smtpd_relay_restrictions = reject_unauth_destination
in_flow_delay = 0s
"""

_DOVECOT = """
base_dir = {directory}/dovecot
state_dir = {directory}/dovecot
log_path = {directory}/dovecot.log
protocols = lmtp
ssl = no
mail_location = maildir:{mail}/%n
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}/%n allow_all_users=yes
}}
passdb {{
  driver = static
  args = nopassword=y
}}
first_valid_uid = 1
service lmtp {{
  unix_listener {directory}/lmtp {{
    mode = 0666
  }}
}}
"""


def missing() -> str:
    """Return why the peer cannot be measured here, or an empty string."""
    if not shutil.which("postfix") or not MASTER.exists():
        return "Postfix is not installed (Debian: postfix)"
    if not shutil.which("dovecot") or not _LMTPD.exists():
        return "Dovecot's LMTP server is not installed (Debian: dovecot-lmtpd)"
    return "" if os.getuid() == 0 else "Postfix needs root to start its master process"


class Peer:
    """Postfix and Dovecot in `directory`, whose path must be short (UNIX sockets)."""

    name = "Postfix + Dovecot"
    more_settings = ""  # of Dovecot

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.directory = directory
        self._configuration = directory / "postfix"
        self._queue = directory / "queue"
        self._mail = directory / "mail"
        self._dovecot: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Write both configurations, then start both."""
        self._configure()
        with open_log(self.directory / "start.log") as log:
            self._dovecot = subprocess.Popen(
                ["dovecot", "-F", "-c", self.directory / "dovecot.conf"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._postfix("start")
        wait_for_port(self.port, seconds=30)

    def stop(self) -> None:
        """Stop both."""
        if (self._queue / "pid/master.pid").exists():
            self._postfix("stop")
        if self._dovecot:
            end(self._dovecot, with_signal=signal.SIGTERM)

    def pids(self) -> list[int]:
        """Return the two master processes."""
        assert self._dovecot is not None
        return [int((self._queue / "pid/master.pid").read_text()), self._dovecot.pid]

    def stored_count(self) -> int:
        """Count the files of every Maildir's `new`."""
        return sum(len(os.listdir(place)) for place in self._mail.glob("*/new"))  # noqa: PTH208

    def last_stored_at(self, accepted_at: float) -> float:
        """Return when the newest file was moved into its Maildir."""
        newest = (place.stat().st_ctime for place in self._mail.glob("*/new"))
        return max(newest, default=accepted_at)

    def _postfix(self, command: str) -> None:
        with open_log(self.directory / "start.log") as log:
            subprocess.run(
                ["postfix", "-c", self._configuration, command],
                check=True,
                timeout=60,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _configure(self) -> None:
        for place in (self._configuration, self._queue, self._mail):
            place.mkdir(parents=True)
        state = self.directory / "state"
        state.mkdir()
        shutil.chown(state, "postfix")
        owner = pwd.getpwnam(_OWNER)
        shutil.chown(self._mail, owner.pw_uid, owner.pw_gid)
        names = {
            "directory": self.directory,
            "configuration": self._configuration,
            "queue": self._queue,
            "state": state,
            "mail": self._mail,
            "domain": DOMAIN,
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
        }
        people = [f"user{number}@{DOMAIN} here\n" for number in range(RECIPIENTS)]
        (self._configuration / "people").write_text("".join(people))
        (self._configuration / "main.cf").write_text(_MAIN_CF.format(**names))
        (self._configuration / "master.cf").write_text(self._services())
        (self.directory / "dovecot.conf").write_text(_DOVECOT.format(**names) + self.more_settings)

    def _services(self) -> str:
        """Return Debian's master.cf without chroot, on our port."""
        lines = [line for line in MASTER.read_text().splitlines() if not line.startswith("#")]
        listener = f"127.0.0.1:{self.port} inet n - n - - smtpd"
        services = "\n".join([listener, *(line for line in lines if not _is_smtp(line))])
        return re.sub(r"^(\S+ +unix +\S +\S +)y", r"\1n", services, flags=re.MULTILINE) + "\n"


def _is_smtp(line: str) -> bool:
    return line.startswith("smtp ") and line.split()[1] == "inet"
