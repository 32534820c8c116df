"""Aliases: addresses of ours that lead to other addresses, ours or remote (RFC 5321, 3.9.1).

A target need not exist: `resolve` follows them when mail comes, and stops at circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mailcore import address as address_value
from mailcore.address import AddressError, parse
from mailcore.directory import domains
from mailcore.directory.creating import creating
from mailcore.directory.errors import AlreadyExists, NotUsable
from mailcore.directory.mailboxes import parse_own
from mailcore.models.directory import Address, Forward


def create_alias(*, address: str, targets: Sequence[str], now: datetime) -> Address:
    """Make an alias with one target or more.

    Raises NotUsable (no address, no targets, or itself as its target), NotFound (the domain) and
    AlreadyExists.
    """
    own = parse_own(address)
    wanted = parse_targets(targets, of=own)
    if not wanted:
        raise NotUsable("alias", f"{own} without another target")
    with creating("address", str(own)):
        domain = domains.get_domain(own.domain)
        if Address.objects.filter(domain=domain, local_part=own.local_part).exists():
            raise AlreadyExists("address", str(own))
        row = Address.objects.create(domain=domain, local_part=own.local_part, created_at=now)
        Forward.objects.bulk_create(Forward(address=row, target=target) for target in wanted)
    return row


def parse_targets(targets: Sequence[str], *, of: address_value.Address) -> list[str]:
    """Return targets as they are stored, each once. Raises NotUsable, also when `of` is one."""
    parsed = [_target(target) for target in targets]
    if (of.key, of.domain) in {(target.key, target.domain) for target in parsed}:
        raise NotUsable("alias", f"{of} without another target")
    return [str(target) for target in dict.fromkeys(parsed)]


def _target(text: str) -> address_value.Address:
    try:
        return parse(text.strip())
    except AddressError as error:
        raise NotUsable("target", text) from error
