"""The UPDATE that stores derived contents: one prepared statement for a whole batch.

Through the ORM it is half of what derivation costs. Runs under the caller's locks; decides nothing:
see `derive`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import connection

from mailcore.models.blob import Content

_UPDATE = """
UPDATE mailcore_content SET structure = {json}, envelope = {json}, preview = %s,
  has_attachment = %s, search_text = %s, parse_state = %s, parser_version = %s, parsed_at = %s
WHERE id = %s
"""
_JSON = {"postgresql": "%s::jsonb", "sqlite": "%s"}


def update_contents(contents: Sequence[Content]) -> None:
    """Store the derived columns of contents. Raises DataError, ValueError for what cannot be."""
    rows = [
        (
            _json(content.structure),
            _json(content.envelope),
            content.preview,
            content.has_attachment,
            content.search_text,
            content.parse_state,
            content.parser_version,
            connection.ops.adapt_datetimefield_value(content.parsed_at),
            content.pk,
        )
        for content in contents
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_UPDATE.format(json=_JSON[connection.vendor]), rows)


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value)
