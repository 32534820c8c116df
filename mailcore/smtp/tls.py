"""When and how the client protects a connection (RFC 3207, RFC 7435, RFC 8314).

Between mail hosts TLS is opportunistic: certificates there prove little, so none is checked, and
even a broken one beats plain text. A login goes only to a host whose certificate is checked.
"""

from __future__ import annotations

import enum
import functools
import ssl


class Tls(enum.Enum):
    """What a connection must have."""

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"  # STARTTLS where it is offered and works
    REQUIRED = "required"  # STARTTLS or no delivery for now
    IMPLICIT = "implicit"  # TLS before the banner


@functools.cache
def unchecked_context() -> ssl.SSLContext:
    """Return a client context that encrypts, TLS 1.2 or later, and checks no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@functools.cache
def checked_context() -> ssl.SSLContext:
    """Return a client context that checks certificate and name against the system's authorities.

    OpenSSL reads SSL_CERT_FILE and SSL_CERT_DIR for an authority of one's own.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
