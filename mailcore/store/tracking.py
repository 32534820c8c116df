"""How the queue finds the Sent copy of what it carries: the key of a row by its public id.

Who may see the message is not asked here.
"""

from __future__ import annotations

from uuid import UUID

from mailcore.models.message import Message


def row_id(*, public_id: UUID) -> int:
    """Return the primary key of a message just stored. Raises Message.DoesNotExist."""
    return Message.objects.values_list("pk", flat=True).get(public_id=public_id)
