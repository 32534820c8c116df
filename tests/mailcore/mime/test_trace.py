from datetime import UTC, datetime

import pytest

from mailcore.mime.trace import delivered_to_field, received_field, return_path_field, with_protocol

AT = datetime(2025, 11, 18, 9, 12, 33, tzinfo=UTC)


def test_received_names_tls_protocol_and_the_only_recipient():
    field = received_field(
        helo="client.example",
        ip="2001:db8::1",
        by="mx.example.org",
        queue_id="abc",
        at=AT,
        recipients=["alice@example.org"],
        tls_version="TLSv1.3",
        tls_cipher="TLS_AES_256_GCM_SHA384",
    )
    assert field == (
        b"Received: from client.example ([IPv6:2001:db8::1])\r\n"
        b"\t(TLSv1.3 cipher TLS_AES_256_GCM_SHA384) by mx.example.org with ESMTPS id abc\r\n"
        b"\tfor <alice@example.org>; Tue, 18 Nov 2025 09:12:33 +0000\r\n"
    )


def test_several_recipients_stay_unnamed():
    field = received_field(
        helo="h", ip="192.0.2.1", by="b", queue_id="q", at=AT, recipients=["a@x.org", "b@x.org"]
    )
    assert b" for " not in field


@pytest.mark.parametrize("evil", ["a\r\nBcc: x", "a) by b", "a; x\0", "a\u2028b", "\ud800"])
def test_no_value_ends_its_field(evil):
    received = received_field(helo=evil, ip=evil, by="b", queue_id=evil, at=AT, recipients=[evil])
    for field in (received, return_path_field(evil), delivered_to_field(evil)):
        assert field.endswith(b"\r\n")
        assert all(line[:1] == b"\t" for line in field[:-2].split(b"\r\n")[1:])
    assert received.count(b";") == 1 + evil.count(";")


def test_protocols_of_rfc_3848():
    assert with_protocol(esmtp=False, tls=False, authenticated=False) == "SMTP"
    assert with_protocol(esmtp=True, tls=True, authenticated=True) == "ESMTPSA"
