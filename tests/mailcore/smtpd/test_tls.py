"""The certificate of STARTTLS."""

from __future__ import annotations

import os
import ssl

import pytest

from mailcore.smtpd.tls import Certificates, newest, self_signed


def test_self_signed_certificate_is_made_once_and_private(tmp_path):
    certificate, key = self_signed(directory=tmp_path / "tls", hostname="mx.hamburger.test")
    first = certificate.read_bytes()
    assert self_signed(directory=tmp_path / "tls", hostname="other.test") == (certificate, key)
    assert certificate.read_bytes() == first
    assert key.stat().st_mode & 0o777 == 0o600


def test_context_refuses_tls_before_1_2(tmp_path):
    context = Certificates(*self_signed(directory=tmp_path, hostname="x.test")).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_files_are_read_again_when_they_change(tmp_path):
    now = [0.0]
    files = self_signed(directory=tmp_path, hostname="x.test")
    certificates = Certificates(*files, clock=lambda: now[0])
    first = certificates.context()
    now[0] = 2.0
    assert certificates.context() is first
    renewed = self_signed(directory=tmp_path / "new", hostname="x.test")
    for old, new in zip(files, renewed, strict=True):
        new.replace(old)
    now[0] = 4.0
    assert certificates.context() is not first


def test_broken_files_leave_the_last_good_certificate(tmp_path, caplog):
    now = [0.0]
    files = self_signed(directory=tmp_path, hostname="x.test")
    certificates = Certificates(*files, clock=lambda: now[0])
    first = certificates.context()
    files[0].write_text("not a certificate")
    now[0] = 2.0
    assert certificates.context() is first
    assert "smtpd.certificate_unreadable" in caplog.text


def test_missing_files_are_an_error_at_start(tmp_path):
    with pytest.raises(OSError):
        Certificates(tmp_path / "none.pem", tmp_path / "none.key")


def test_a_certificate_that_is_not_there_yet_is_waited_for(tmp_path, caplog):
    now = [0.0]
    directory = tmp_path / "certificates"
    waiting = Certificates(
        directory / "*" / "x.test.crt",
        directory / "*" / "x.test.key",
        spare=lambda: self_signed(directory=tmp_path / "own", hostname="x.test"),
        clock=lambda: now[0],
    )
    assert "smtpd.certificate_awaited" in caplog.text
    first = waiting.context()
    put(directory / "authority", at=1)
    now[0] = 2.0
    assert waiting.context() is not first


def test_of_several_authorities_the_newest_certificate_is_taken(tmp_path):
    older, newer = put(tmp_path / "one", at=1), put(tmp_path / "two", at=2)
    assert newest(tmp_path / "*" / "x.test.crt", tmp_path / "*" / "x.test.key") == newer
    newer[1].unlink()
    assert newest(tmp_path / "*" / "x.test.crt", tmp_path / "*" / "x.test.key") == older


def put(directory, *, at: int):
    """Put a pair under the names that a proxy gives it; return the paths."""
    made = self_signed(directory=directory, hostname="x.test")
    files = directory / "x.test.crt", directory / "x.test.key"
    for old, new in zip(made, files, strict=True):
        old.replace(new)
        os.utime(new, (at, at))
    return files
