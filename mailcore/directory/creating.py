"""One transaction for making something whose name must be new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from mailcore.directory.errors import AlreadyExists


@contextmanager
def creating(kind: str, name: str) -> Iterator[None]:
    """Run the block in a transaction; a name taken at the same moment raises AlreadyExists."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise AlreadyExists(kind, name) from error
