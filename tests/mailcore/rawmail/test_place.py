"""Raw octets are placed by size and come back as they were."""

import hashlib
import mmap
from datetime import UTC, datetime, timedelta

import pytest

from mailcore import rawmail
from mailcore.blobs import BlobMissing
from mailcore.models.blob import Blob

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TEXT = b"Subject: lunch\r\n\r\n" + b"crepes or hamburgers\r\n" * 100


@pytest.fixture(autouse=True)
def _own_directory(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.BLOB_INLINE_MAX = 4096


def test_small_text_is_compressed_into_the_row():
    blob = rawmail.prepare(TEXT)
    assert (blob.sha256, blob.size) == (hashlib.sha256(TEXT).digest(), len(TEXT))
    assert (blob.codec, blob.key) == ("zstd", "")
    assert blob.data is not None
    assert blob.stored_size == len(blob.data) < len(TEXT)
    assert rawmail.read(blob) == TEXT


@pytest.mark.parametrize("octets", [b"", b"a", hashlib.shake_256(b"noise").digest(4096)])
def test_what_does_not_shrink_stays_as_it_is(octets):
    blob = rawmail.prepare(octets)
    assert (blob.codec, blob.data, blob.stored_size) == ("", octets, len(octets))
    assert rawmail.read(blob) == octets


def test_what_is_larger_than_the_bound_becomes_a_plain_file(tmp_path):
    octets = TEXT * 3
    blob = rawmail.prepare(octets)
    assert (blob.data, blob.codec, blob.stored_size) == (None, "", len(octets))
    assert blob.key == hashlib.sha256(octets).hexdigest()
    assert rawmail.blob_store().get(blob.key) == octets
    assert rawmail.read(blob) == octets


def test_a_mapped_file_can_be_prepared():
    with mmap.mmap(-1, 8192) as area:
        area[: len(TEXT)] = TEXT
        blob = rawmail.prepare(area)
        assert rawmail.read(blob) == area[:]


@pytest.mark.parametrize("octets", [TEXT, TEXT * 3], ids=["row", "file"])
def test_a_range_is_read(octets):
    blob = rawmail.prepare(octets)
    assert rawmail.read_range(blob, start=9, length=5) == b"lunch"
    assert rawmail.read_range(blob, start=len(octets) - 3, length=99) == octets[-3:]
    assert rawmail.read_range(blob, start=len(octets) + 1, length=9) == b""
    with pytest.raises(ValueError, match="negative"):
        rawmail.read_range(blob, start=-1, length=9)


def test_damage_is_found():
    packed = rawmail.prepare(TEXT)
    noise = b"damaged"
    row = Blob(sha256=packed.sha256, size=packed.size, codec="zstd", data=noise)
    with pytest.raises(rawmail.BlobDamaged):
        rawmail.read(row)
    row.codec = ""
    assert rawmail.read(row) == noise
    with pytest.raises(rawmail.BlobDamaged) as caught:
        rawmail.read_checked(row)
    assert caught.value.sha256 == packed.sha256.hex()


def test_a_missing_file_is_named():
    blob = rawmail.prepare(TEXT * 3)
    rawmail.blob_store().delete(blob.key)
    with pytest.raises(BlobMissing):
        rawmail.read_checked(blob)


@pytest.mark.django_db
def test_saving_twice_keeps_one_row_and_renews_it():
    first = rawmail.save(rawmail.prepare(TEXT), now=NOW)
    again = rawmail.save(rawmail.prepare(TEXT), now=NOW + timedelta(days=1))
    assert first.pk == again.pk
    assert again.used_at == NOW + timedelta(days=1)
    assert rawmail.read_checked(again) == TEXT


@pytest.mark.django_db
def test_many_are_read_in_one_statement_and_a_missing_one_is_left_out(
    django_assert_num_queries, caplog
):
    small, large, lost = (
        rawmail.save(rawmail.prepare(octets), now=NOW) for octets in (TEXT, TEXT * 3, TEXT * 4)
    )
    rawmail.blob_store().delete(lost.key)
    with django_assert_num_queries(1):
        found = rawmail.read_many([small.pk, large.pk, lost.pk, 0])
    assert found == {small.pk: TEXT, large.pk: TEXT * 3}
    assert "blob.unreadable" in caplog.text
