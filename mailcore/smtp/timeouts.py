"""How long the client waits for each thing (RFC 5321, 4.5.3.2, the minima). All in seconds.

A wait is for a whole reply: a peer that sends a line a minute does not prolong it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`connect_s` and `tls_s` are ours, the RFC names none; `quit_s` is courtesy."""

    connect_s: float = 30.0
    banner_s: float = 300.0
    ehlo_s: float = 300.0  # EHLO, HELO, STARTTLS, AUTH
    tls_s: float = 60.0
    mail_s: float = 300.0  # and RSET
    rcpt_s: float = 300.0
    data_s: float = 120.0
    block_s: float = 180.0
    final_dot_s: float = 600.0
    quit_s: float = 5.0
