"""What one session, one client and the whole server may use up (RFC 5321, 4.5.3).

Values only. Counting per client is `clients`; sessions count for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from mailcore import conf

_LOADED_SHARE = 0.5
_CROWDED_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Limits:
    """Octets, counts and seconds (`_s`). The defaults of the settings stand in settings.py."""

    message_octets: int = 50 * 2**20
    command_octets: int = 2048
    recipients: int = 100
    errors: int = 10
    error_delay_from: int = 3
    error_delay_s: float = 1.0
    junk_commands: int = 20
    long_lines: int = 3
    unknown_recipients: int = 10
    connections: int = 1000
    connections_per_client: int = 20
    new_per_minute: int = 60
    messages_per_minute: int = 100
    recipients_per_minute: int = 300
    banner_delay_s: float = 0.0
    command_timeout_s: float = 300.0
    loaded_timeout_s: float = 60.0
    crowded_timeout_s: float = 10.0
    data_timeout_s: float = 180.0
    data_rate: int = 500
    data_rate_window_s: float = 60.0
    session_timeout_s: float = 1800.0
    answer_timeout_s: float = 30.0
    stop_timeout_s: float = 30.0
    proxy_silence_s: float = 2.0
    proxy_header_s: float = 5.0
    exempt_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def command_wait_s(self, connection_count: int) -> float:
        """Return how long a client may think before a command; less when many are here."""
        if connection_count > self.connections * _CROWDED_SHARE:
            return min(self.crowded_timeout_s, self.command_timeout_s)
        if connection_count > self.connections * _LOADED_SHARE:
            return min(self.loaded_timeout_s, self.command_timeout_s)
        return self.command_timeout_s


def from_settings() -> Limits:
    """Return the limits that the operator set."""
    values: dict[str, Any] = {}
    for name, value in conf.smtp_limits().items():
        if isinstance(value, timedelta):
            values[f"{name}_s"] = value.total_seconds()
        else:
            values[name] = value
    return replace(
        Limits(message_octets=conf.message_size_limit()),
        exempt_networks=conf.limits_exempt_networks(),
        **values,
    )
