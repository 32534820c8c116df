"""A Postfix of the test's own: configuration, queue, mailboxes and port under one directory.

The machine's own instance is not touched. It takes mail for `postfix.test` into Maildirs, offers
STARTTLS, PIPELINING, 8BITMIME, SMTPUTF8 and DSN as Postfix does, asks no name server and sends
`hamburger.test` to the port that it is given.
"""

from __future__ import annotations

import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self

from mailcore.smtpd.tls import self_signed
from tests.support.servers import free_port, wait_for_port

DOMAIN = "postfix.test"
SIZE_LIMIT = 1_000_000
_OWNER = "nobody"

_MAIN_CF = """
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/state
maillog_file = {directory}/log
maillog_file_prefixes = {directory}
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
myhostname = mx.postfix.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
message_size_limit = {size_limit}
virtual_mailbox_limit = {size_limit}
virtual_mailbox_domains = postfix.test
virtual_mailbox_maps = texthash:{directory}/configuration/people
virtual_mailbox_base = {directory}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = inline:{{ hamburger.test=smtp:[127.0.0.1]:{peer_port} }}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtp_tls_security_level = may
smtp_tls_loglevel = 1
"""

# Service, type, wakeup, process limit, command; nothing is private to root or in a chroot.
_MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def missing() -> str:
    """Return why no Postfix can run here, or an empty string."""
    if not shutil.which("postfix"):
        return "Postfix is not installed (Debian: postfix)"
    return "" if os.getuid() == 0 else "Postfix needs root to start its master process"


class Postfix:
    """Runs between `with` and its end; `people` are the local parts that have a mailbox."""

    def __init__(self, *, people: Collection[str], peer_port: int) -> None:
        self.port = free_port()
        self._people = people
        self._peer_port = peer_port

    def __enter__(self) -> Self:
        # A path of its own: UNIX sockets allow about 100 characters.
        self._directory = Path(tempfile.mkdtemp(prefix="postfix-"))
        self._directory.chmod(0o755)
        try:
            self._configure()
            self._run("start")
            wait_for_port(self.port, seconds=30)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if (self._directory / "queue/pid/master.pid").exists():
            self._run("stop")
        shutil.rmtree(self._directory)

    @property
    def log(self) -> str:
        """What Postfix has logged so far."""
        path = self._directory / "log"
        return path.read_text() if path.exists() else ""

    def mailbox(self, name: str) -> list[bytes]:
        """Return the messages of a local part, in the order of delivery, with LF line ends."""
        paths = (self._directory / "mail" / name / "new").glob("*")
        found = sorted(paths, key=lambda path: path.stat().st_mtime_ns)
        return [path.read_bytes() for path in found]

    def wait_for(self, name: str, count: int = 1, *, seconds: float = 30) -> list[bytes]:
        """Return the messages of a local part once there are so many. Raises TimeoutError."""
        ends = time.monotonic() + seconds
        while len(found := self.mailbox(name)) < count:
            if time.monotonic() > ends:
                raise TimeoutError(f"{len(found)} messages for {name} in Postfix:\n{self.log}")
            time.sleep(0.05)
        return found

    def send(
        self,
        raw: bytes,
        *recipients: str,
        sender: str = f"carol@{DOMAIN}",
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> None:
        """Hand a message to Postfix, as a user of it does. Raises smtplib.SMTPException."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
            refused = client.sendmail(sender, recipients, raw, mail_options, rcpt_options)
        assert refused == {}

    def _run(self, command: str) -> None:
        with (self._directory / "start.log").open("ab") as log:
            subprocess.run(
                ["postfix", "-c", self._directory / "configuration", command],
                check=True,
                timeout=60,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _configure(self) -> None:
        configuration, mail = self._directory / "configuration", self._directory / "mail"
        for place in (configuration, mail, self._directory / "queue", self._directory / "state"):
            place.mkdir()
        owner = pwd.getpwnam(_OWNER)
        shutil.chown(mail, owner.pw_uid, owner.pw_gid)
        shutil.chown(self._directory / "state", "postfix")
        tls = self_signed(directory=self._directory / "tls", hostname="mx.postfix.test")
        main = _MAIN_CF.format(
            directory=self._directory,
            size_limit=SIZE_LIMIT,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            peer_port=self._peer_port,
            certificate=tls[0],
            key=tls[1],
        )
        people = "".join(f"{name}@{DOMAIN} {name}/\n" for name in self._people)
        (configuration / "main.cf").write_text(main)
        (configuration / "master.cf").write_text(_MASTER_CF.format(port=self.port))
        (configuration / "people").write_text(people)
