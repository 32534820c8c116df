"""Array literals mean to PostgreSQL what was put in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from mailcore.models import arrays

pytestmark = pytest.mark.django_db
TEXTS = ["", "plain", 'quo"te', "back\\slash", "{a,b}", "NULL", " new\nline\t ", "ñ 漢 🎈", None]
TIMES = [
    datetime(2026, 11, 21, 12, 0, 0, 5, tzinfo=UTC),
    datetime(1996, 2, 29, 23, 59, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    None,
]
COLUMNS: dict[str, tuple[Callable[[Any], str], list[Any]]] = {
    "bigint": (arrays.numbers, [1, -(2**62), None]),
    "text": (arrays.texts, TEXTS),
    "bytea": (arrays.octets, [b"", bytes(range(256)), None]),
    "timestamptz": (arrays.times, TIMES),
    "uuid": (arrays.uuids, [UUID(int=0), UUID(int=2**128 - 1)]),
    "boolean": (arrays.booleans, [True, False]),
}


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("is_empty", [False, True])
def test_the_server_reads_what_was_written(kind, is_empty):
    write, values = COLUMNS[kind]
    values = [] if is_empty else values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT value FROM unnest(%s::{kind}[]) AS w (value)", [write(values)])
        read = [row[0] for row in cursor.fetchall()]
    assert [bytes(v) if isinstance(v, memoryview) else v for v in read] == values


def test_text_is_quoted_and_escaped():
    assert arrays.texts(['a"b', "c\\d", None]) == r'{"a\"b","c\\d",NULL}'
