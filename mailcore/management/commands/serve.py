"""`manage.py serve`: the whole system in one terminal: web, smtpd, derive and queue, supervised.

Prepares first (free ports, tables, static files; on the first start the demonstration mail), then
keeps the parts running until SIGTERM or Ctrl-C. In production each part is a service of its own.
"""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from mailcore import conf
from mailcore.checks import weak_settings
from mailcore.directory import setup
from mailcore.management.accounts import Account, password_file
from mailcore.management.ports import bind_once
from mailcore.management.supervisor import Part, Supervisor
from mailcore.models.directory import Domain

_READY_S = 30.0


class Command(BaseCommand):
    """Prepares, then supervises the parts of the embedded system."""

    help = "Run Casilla: web pages, SMTP, derivation and sending, until Ctrl-C."
    requires_system_checks = ()  # those that matter here are called by name

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --no-demo."""
        parser.add_argument(
            "--no-demo", action="store_true", help="do not make demonstration domains and mail"
        )

    def handle(self, *args: Any, no_demo: bool, **options: Any) -> None:
        """Run in the foreground. Ends with status 1 and one line when a port is in use."""
        _refuse_ports_in_use()
        for problem in weak_settings():
            raise CommandError(problem)
        _prepare()
        accounts = [] if no_demo or not settings.EMBEDDED else _demonstrate()
        token = setup.make_token(now=timezone.now())
        connections.close_all()
        supervisor = Supervisor(_parts(), say=self._say)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stop())
        supervisor.start()
        try:
            _wait_until_listening()
            self._greet(accounts, token)
        finally:
            supervisor.run()
        self._say("stopped")

    def _say(self, line: str) -> None:
        self.stdout.write(f"casilla: {line}")
        self.stdout.flush()

    def _greet(self, accounts: list[Account], token: str) -> None:
        self._say(f"web pages {settings.PUBLIC_URL}/")
        self._say(f"mail on {', '.join(str(listener) for listener in settings.SMTP_LISTEN)}")
        for what, places in (
            ("submission", settings.SUBMISSION_LISTEN),
            ("submission over TLS", settings.SUBMISSIONS_LISTEN),
        ):
            if places:
                self._say(f"{what} on {', '.join(str(place) for place in places)}")
        for account in accounts:
            self._say(f"sign in as {account.login}  password {account.password}")
        if accounts:
            self._say(f"passwords are kept in {password_file()}")
        elif password_file().exists():
            self._say(f"demonstration passwords: {password_file()}")
        if token:
            self._say(f"make the first operator (once, within a day): {setup.link(token)}")
        self._say("Ctrl-C stops everything")


def _listeners() -> list[tuple[str, int, str]]:
    web = [(one.host, one.port, "WEB_LISTEN") for one in settings.WEB_LISTEN]
    doors = {
        "SMTP_LISTEN": conf.smtp_listeners(),
        "SUBMISSION_LISTEN": conf.submission_listeners(),
        "SUBMISSIONS_LISTEN": conf.submissions_listeners(),
    }
    return web + [(host, port, name) for name, places in doors.items() for host, port in places]


def _refuse_ports_in_use() -> None:
    for host, port, variable in _listeners():
        try:
            bind_once(host, port)
        except OSError as error:
            used = error.errno == errno.EADDRINUSE
            why = "is in use" if used else f"cannot be used ({error.strerror or error})"
            raise CommandError(f"port {port} on {host} {why}: set {variable} to another") from error


def _prepare() -> None:
    connection = connections["default"]
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    if _static_is_stale():
        # In a process of its own: cutting the font takes 90 MB that we would keep.
        subprocess.run([*_manage(), "build_assets", "--verbosity", "0"], check=True)
        _static_stamp().write_text(_static_state())


def _demonstrate() -> list[Account]:
    if Domain.objects.exists():
        return []
    # Only a first start pays for loading the store.
    from mailcore.management import demo

    return demo.make_if_empty()


def _static_stamp() -> Any:
    return conf.data_dir() / "static.stamp"


def _static_is_stale() -> bool:
    try:
        return bool(_static_stamp().read_text() != _static_state())
    except FileNotFoundError:
        return True


def _static_state() -> str:
    """Return what decides whether static files must be built again: versions and changes."""
    sources = [settings.BASE_DIR / "static", settings.BASE_DIR / "locale"]
    newest = max(_changes(sources), default=0)
    packages = " ".join(
        f"{name} {version(name)}"
        for name in ("django", "django-htmx", "fontpkg-inter", "lucide", "whitenoise")
    )
    return f"{newest} {packages}"


def _changes(directories: Iterable[Any]) -> Iterable[int]:
    for directory in directories:
        for path in directory.rglob("*"):
            yield path.stat().st_mtime_ns


def _parts() -> list[Part]:
    parts = [
        Part("web", _web_command()),
        Part("smtpd", [*_manage(), "smtpd"]),
        Part("derive", [*_manage(), "derive"]),
    ]
    # With a broker, a Celery worker sends.
    return parts if settings.REDIS_URL else [*parts, Part("queue", [*_manage(), "queue_runner"])]


def _manage() -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py")]


def _web_command() -> list[str]:
    module, _, name = settings.ASGI_APPLICATION.rpartition(".")
    options = {
        "--chdir": str(settings.BASE_DIR),
        "--worker-class": "asgi",
        "--asgi-lifespan": "off",
        "--workers": "1",
        "--graceful-timeout": "5",
        "--log-level": "warning",
        "--worker-tmp-dir": str(conf.data_dir()),
    }
    return [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket"),
        *(word for option in options.items() for word in option),
        *(word for one in settings.WEB_LISTEN for word in ("--bind", str(one))),
        f"{module}:{name}",
    ]


def _wait_until_listening() -> None:
    end = time.monotonic() + _READY_S
    for host, port, _ in _listeners():
        while time.monotonic() < end and not _answers(host, port):
            time.sleep(0.05)


def _answers(host: str, port: int) -> bool:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
    try:
        socket.create_connection((everywhere.get(host, host), port), timeout=1).close()
    except OSError:
        return False
    return True
