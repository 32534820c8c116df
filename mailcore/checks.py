"""System checks: combinations of settings that would break a promise (guarantees G1).

Those about the database are run with `--database`; those of a system that is to face the world,
with `check --deploy`, each with a hint. Reads; changes nothing. DEBUG, cookies and HSTS are
Django's to check.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from mailcore import conf


@register(Tags.database)
def durable_database(
    *, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Refuse a database whose COMMIT does not mean "on disk" (G1)."""
    problems: list[CheckMessage] = []
    for alias in databases or []:
        problems += [
            Error(f"database {alias!r}: {problem}", id="mailcore.E001")
            for problem in weak_settings(alias)
        ]
    return problems


def weak_settings(alias: str = "default") -> list[str]:
    """Return a sentence for each setting with which a 250 could be a lie; empty when sound."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT name, setting FROM pg_settings WHERE setting = 'off'"
                " AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
            )
            return [f"{name} is off: a 250 could be lost, set it to on" for name, _ in cursor]
        cursor.execute("PRAGMA synchronous")
        row = cursor.fetchone()
        return [] if row and row[0] >= 2 else ["PRAGMA synchronous is below FULL"]


_KEY_CHARS_MIN = 32
_PROXIES_MAX = 2**16  # more addresses than a network of one's own has


@register(Tags.security, deploy=True)
def ready_for_the_world(**options: Any) -> list[CheckMessage]:
    """Return what should not be so when strangers can reach this system."""
    return [message for check in _DEPLOY for message in check()]


def _addresses() -> Iterator[CheckMessage]:
    if urlsplit(settings.PUBLIC_URL).scheme != "https":
        yield checks.Warning(
            f"PUBLIC_URL is {settings.PUBLIC_URL}: passwords and mail travel in plain text.",
            hint="Put a proxy with TLS in front and set PUBLIC_URL=https://...",
            id="mailcore.W010",
        )
    name = conf.hostname()
    if "." not in name or name.endswith((".localhost", ".localdomain")):
        yield checks.Warning(
            f"CASILLA_HOSTNAME is {name}: other hosts refuse mail from such a name.",
            hint="Set it to the full name that the PTR record of this server's address has.",
            id="mailcore.W011",
        )


def _sending() -> Iterator[CheckMessage]:
    if conf.outbound_mode() == "capture":
        yield checks.Warning(
            "OUTBOUND_MODE is capture: no mail leaves this system.",
            hint="Set it to direct, or to smarthost with SMARTHOST, when you are content.",
            id="mailcore.W012",
        )
    if not settings.EMBEDDED and not settings.REDIS_URL:
        yield checks.Warning(
            "PostgreSQL without Redis: each process counts failed sign-ins in its own cache,"
            " and no Celery worker sends.",
            hint="Set REDIS_URL, or run queue_runner and derive and one web process.",
            id="mailcore.W013",
        )


def _keys() -> Iterator[CheckMessage]:
    keys = conf.keys()
    for name, key in keys.items():
        if len(key) < _KEY_CHARS_MIN or len(set(key)) < 8:
            yield Error(
                f"{name.upper()} is too short to be a secret.",
                hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
                id="mailcore.E011",
            )
    if len(set(keys.values())) < len(keys):
        yield Error(
            "SECRET_KEY and SECRETS_KEY are the same.",
            hint="Make two: the one that signs is not to open what is encrypted.",
            id="mailcore.E012",
        )


def _certificate() -> Iterator[CheckMessage]:
    files = conf.tls_files()
    if files is None:
        yield checks.Warning(
            "There is no TLS_CERT: with the self-signed one, mail programs refuse to submit.",
            hint="Set TLS_CERT and TLS_KEY to a certificate for CASILLA_HOSTNAME.",
            id="mailcore.W014",
        )
    for path in _found(files) if files else ():
        if not _is_readable(path):
            yield Error(
                f"{path} cannot be read.",
                hint="TLS_CERT and TLS_KEY must be readable by the user that runs smtpd.",
                id="mailcore.E013",
            )


def _found(files: tuple[Path, Path]) -> tuple[Path, Path]:
    from mailcore.smtpd import tls  # only this check pays for loading what makes certificates

    return tls.newest(*files) or files


def _is_readable(path: Path) -> bool:
    try:
        path.open("rb").close()
    except OSError:
        return False
    return True


def _trust() -> Iterator[CheckMessage]:
    wide = [str(net) for net in conf.trusted_proxies() if net.num_addresses > _PROXIES_MAX]
    if wide:
        yield checks.Warning(
            f"TRUSTED_PROXIES has {', '.join(wide)}: who is in there can claim any address.",
            hint="Name the addresses of your proxies only.",
            id="mailcore.W015",
        )
    if conf.auth_plaintext_networks():
        yield checks.Warning(
            "AUTH_PLAINTEXT_NETWORKS lets passwords be sent without TLS.",
            hint="It is for tests: leave it out.",
            id="mailcore.W016",
        )
    if settings.STYLEGUIDE:
        yield checks.Warning(
            "STYLEGUIDE shows /styleguide/ to everybody.",
            hint="Leave it out, and DEBUG too.",
            id="mailcore.W017",
        )


def _disk() -> Iterator[CheckMessage]:
    usage = shutil.disk_usage(conf.data_dir())
    wanted = max(2 * conf.disk_free_min(), usage.total // 10)
    # A small disk could never satisfy this; the operator sets DISK_FREE_MIN to 0 there.
    if conf.disk_free_min() and usage.free < wanted:
        yield checks.Warning(
            f"{conf.data_dir()} has {usage.free // 2**20} MiB left: soon mail is put off.",
            hint="Make room; on a small disk set DISK_FREE_MIN=0.",
            id="mailcore.W018",
        )


def _backups() -> Iterator[CheckMessage]:
    if not settings.EMBEDDED and not shutil.which("pg_dump"):
        yield checks.Warning(
            "pg_dump is not here: manage.py backup cannot dump the database.",
            hint="Install PostgreSQL's client programs, as new as the server.",
            id="mailcore.W019",
        )


_DEPLOY: tuple[Callable[[], Iterator[CheckMessage]], ...] = (
    *(_addresses, _sending, _keys, _certificate, _trust, _disk, _backups),
)
