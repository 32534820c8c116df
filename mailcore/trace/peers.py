"""Do all clients come with one private address? Then a network on the way hides who they are.

A container engine or a NAT that rewrites sources makes every client look like the gateway: limits
meant for one client meet all of them. Looks at the latest events only; decides nothing.
"""

from __future__ import annotations

from ipaddress import ip_address

from mailcore.models.trace import TraceEvent

LATEST = 500
CLIENTS_MIN = 20
_OF_CLIENTS = ("accepted", "refused")


def shared_address() -> str | None:
    """Return the private address of all clients of late; None when there is no such thing.

    Of the latest 500 events those count that tell of a connection to us; below 20 connections
    nothing can be said. Loopback is the embedded system's own. Raises DatabaseError.
    """
    latest = TraceEvent.objects.order_by("-pk").values_list("kind", "peer", "trace_id")[:LATEST]
    told = {(peer, trace) for kind, peer, trace in latest if kind in _OF_CLIENTS and peer}
    peers = {peer for peer, _ in told}
    if len(told) < CLIENTS_MIN or len(peers) != 1:
        return None
    [peer] = peers
    return peer if _is_private(peer) else None


def _is_private(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return address.is_private and not address.is_loopback
