"""The certificate of STARTTLS (RFC 3207): the operator's files, or a self-signed one.

TLS 1.2 and later. Files are read again when they change, so that a renewal needs no restart; those
that are not there yet, because a proxy is just asking for them, are waited for.
A client on port 25 rarely checks the name: a self-signed certificate still keeps listeners out.
"""

from __future__ import annotations

import glob
import logging
import os
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

log = logging.getLogger("mailcore.smtpd")

_LOOK_EVERY_S = 1.0
_VALID = timedelta(days=3650)
_COMMON_NAME_MAX = 64

Files = tuple[Path, Path]  # certificate chain and key


class Certificates:
    """Gives the TLS context of the moment."""

    def __init__(
        self,
        certificate: Path,
        key: Path,
        *,
        spare: Callable[[], Files] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Load the files, found by `newest`; those of `spare` until there are any.

        Raises OSError and ssl.SSLError when they cannot be used.
        """
        self._wanted = (certificate, key)
        self._clock = clock
        self._looked = clock()
        files = newest(certificate, key)
        if files is None and spare is not None:
            log.warning("smtpd.certificate_awaited", extra={"fields": {"file": str(certificate)}})
            files = spare()
        files = files or self._wanted
        self._stamp = _stamp(files)
        self._context = _load(*files)

    def context(self) -> ssl.SSLContext:
        """Return the context; looks at the files at most once a second.

        Files that cannot be read are logged and the last good ones stay in use.
        """
        now = self._clock()
        if now - self._looked >= _LOOK_EVERY_S:
            self._looked = now
            self._renew()
        return self._context

    def _renew(self) -> None:
        try:
            files = newest(*self._wanted)
            stamp = _stamp(files) if files else self._stamp
            if files and stamp != self._stamp:
                self._context = _load(*files)
                self._stamp = stamp
                log.info("smtpd.certificate_reloaded")
        except (OSError, ssl.SSLError):
            log.exception("smtpd.certificate_unreadable")


def newest(certificate: Path, key: Path) -> Files | None:
    """Return the pair of files that these names mean, the newest of several; None without one.

    `*` stands for any part of a name: a proxy keeps what each authority gave in a directory of its
    own. Certificate and key must then be in the same one. Raises OSError.
    """
    if not glob.has_magic(f"{certificate}{key}"):
        return (certificate, key) if certificate.exists() and key.exists() else None
    keys = {path.parent: path for path in map(Path, glob.glob(str(key)))}  # noqa: PTH207
    pairs = [
        (path, keys[path.parent])
        for path in map(Path, glob.glob(str(certificate)))  # noqa: PTH207
        if path.parent in keys
    ]
    return max(pairs, key=lambda pair: pair[0].stat().st_mtime_ns, default=None)


def _stamp(files: Files) -> tuple[tuple[int, int, int], ...]:
    stats = [path.stat() for path in files]
    return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)


def self_signed(*, directory: Path, hostname: str) -> Files:
    """Return certificate and key files for `hostname`; makes them (mode 0600) when missing."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate, key = directory / "self-signed.pem", directory / "self-signed.key"
    if not (certificate.exists() and key.exists()):
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(key, pem)
        _write(certificate, _certificate(private, hostname).public_bytes(Encoding.PEM))
    return certificate, key


def _load(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def _certificate(private: ec.EllipticCurvePrivateKey, hostname: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:_COMMON_NAME_MAX])])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .sign(private, hashes.SHA256())
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all."""
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    made.replace(path)
