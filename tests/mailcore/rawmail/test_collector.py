"""The collector removes what nothing needs, and only that."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from mailcore import rawmail
from mailcore.models.blob import Blob, Content

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
OLD = NOW - timedelta(hours=25)
LARGE = b"large" * 2000

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_directory(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.BLOB_INLINE_MAX = 4096


def put(octets: bytes, *, at: datetime) -> Blob:
    row = rawmail.save(rawmail.prepare(octets), now=at)
    if row.key:
        age(row.key, at=at)
    return row


def age(key: str, *, at: datetime) -> None:
    path = rawmail.blob_store()._path(key)  # type: ignore[attr-defined]
    os.utime(path, (at.timestamp(), at.timestamp()))


def keys() -> list[str]:
    return [stored.key for stored in rawmail.blob_store().stored_keys()]


def test_what_is_unreferenced_and_unused_for_a_day_goes():
    put(b"small", at=OLD)
    put(LARGE, at=OLD)
    assert rawmail.collect(now=NOW) == rawmail.Collected(2, 1, 0)
    assert not Blob.objects.exists()
    assert keys() == []


def test_what_was_used_within_a_day_stays():
    put(b"small", at=OLD)
    put(b"small", at=NOW - timedelta(hours=23))
    put(LARGE, at=NOW - timedelta(hours=23))
    assert rawmail.collect(now=NOW) == rawmail.Collected(0, 0, 0)
    assert Blob.objects.count() == 2


def test_what_is_referenced_stays():
    small, large = put(b"small", at=OLD), put(LARGE, at=OLD)
    for blob in (small, large):
        Content.objects.create(blob=blob, header_size=0)
    assert rawmail.collect(now=NOW) == rawmail.Collected(0, 0, 0)
    assert keys() == [large.key]


def test_every_table_that_refers_to_blobs_counts():
    from mailcore.rawmail.collector import _unreferenced

    query = str(_unreferenced().query).lower()
    for table in ("mailcore_content", "mailcore_queuedmessage", "mailcore_draftattachment"):
        assert table in query


def test_a_file_whose_transaction_failed_goes_after_a_day():
    prepared = rawmail.prepare(LARGE)
    age(prepared.key, at=NOW - timedelta(hours=23))
    assert rawmail.collect(now=NOW).file_count == 0
    age(prepared.key, at=OLD)
    assert rawmail.collect(now=NOW).file_count == 1
    assert keys() == []


def test_a_file_that_a_delivery_just_wrote_again_stays():
    put(LARGE, at=OLD)
    rawmail.prepare(LARGE)
    collected = rawmail.collect(now=datetime.now(UTC))
    assert collected.row_count == 1
    assert len(keys()) == 1


def test_more_than_a_chunk_goes_in_one_call(monkeypatch):
    monkeypatch.setattr("mailcore.rawmail.collector._CHUNK", 2)
    for number in range(5):
        put(f"{number}".encode(), at=OLD)
        put(LARGE + bytes([number]), at=OLD)
    assert rawmail.collect(now=NOW) == rawmail.Collected(10, 5, 0)


def test_collecting_loads_no_octets(django_assert_max_num_queries):
    put(b"small", at=OLD)
    with django_assert_max_num_queries(12) as captured:
        rawmail.collect(now=NOW)
    assert not any('"data"' in query["sql"].split("FROM")[0] for query in captured)
