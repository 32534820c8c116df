"""One suite for every BlobStore: what the protocol says holds for each implementation."""

import hashlib
import mmap
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailcore.blobs import BlobMissing, BlobStore, FilesystemBlobStore, InvalidKey, Kept

KEY = hashlib.sha256(b"abc").hexdigest()
IMPLEMENTATIONS: dict[str, Callable[[Path], BlobStore]] = {
    "filesystem": lambda directory: FilesystemBlobStore(directory / "blobs"),
}


@pytest.fixture(params=IMPLEMENTATIONS)
def store(request, tmp_path) -> BlobStore:
    return IMPLEMENTATIONS[request.param](tmp_path)


@pytest.mark.parametrize("data", [b"", b"abc", b"\x00\r\n\xff" * 100_000, bytearray(b"abc")])
def test_what_was_put_is_got(store, data):
    store.put(KEY, data)
    assert store.get(KEY) == bytes(data)


def test_any_buffer_can_be_put(store):
    with mmap.mmap(-1, 8192) as area:
        area[:3] = b"abc"
        store.put(KEY, area)
    store.put(KEY[::-1], memoryview(b"xabcx")[1:4])
    assert store.get(KEY) == b"abc" + bytes(8189)
    assert store.get(KEY[::-1]) == b"abc"


def test_a_missing_key_is_named(store):
    with pytest.raises(BlobMissing) as caught:
        store.get(KEY)
    assert caught.value.key == KEY
    with pytest.raises(BlobMissing):
        store.open_range(KEY, start=0, length=1)


@pytest.mark.parametrize(
    "key", ["", "abc", "../../etc/passwd", "A" * 64, "a" * 129, "a" * 64 + "\n"]
)
def test_keys_are_hexadecimal_digits(store, key):
    for call in (store.get, store.delete, lambda key: store.put(key, b"")):
        with pytest.raises(InvalidKey):
            call(key)


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, 3, b"012"), (7, 3, b"789"), (7, 100, b"789"), (3, 0, b""), (10, 1, b""), (99, 9, b"")],
)
def test_a_range_is_read(store, start, length, expected):
    store.put(KEY, b"0123456789")
    with store.open_range(KEY, start=start, length=length) as reader:
        assert reader.read() == expected
        assert reader.read() == b""


def test_a_long_range_is_read_in_pieces(store):
    store.put(KEY, bytes(range(256)) * 4096)
    with store.open_range(KEY, start=1, length=2**20 - 2) as reader:
        pieces = list(iter(lambda: reader.read(10_000), b""))
    assert b"".join(pieces) == (bytes(range(256)) * 4096)[1:-1]


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, -1)])
def test_a_range_is_not_negative(store, start, length):
    store.put(KEY, b"abc")
    with pytest.raises(ValueError, match="negative"):
        store.open_range(KEY, start=start, length=length)


def test_a_second_put_replaces_and_an_open_reader_keeps_what_it_opened(store):
    store.put(KEY, b"old")
    with store.open_range(KEY, start=0, length=3) as reader:
        store.put(KEY, b"new")
        assert reader.read() == b"old"
    assert store.get(KEY) == b"new"


def test_delete_says_whether_something_went(store):
    store.put(KEY, b"abc")
    assert store.delete(KEY) is True
    assert store.delete(KEY) is False
    with pytest.raises(BlobMissing):
        store.get(KEY)


def test_while_somebody_keeps_nothing_is_deleted(store):
    store.put(KEY, b"abc")
    with store.keep():
        assert store.delete(KEY) is False
        store.put(KEY[::-1], b"others may still be put")
        assert store.get(KEY) == b"abc"
    assert store.delete(KEY) is True


def test_only_one_keeps_at_a_time(store):
    with store.keep(), pytest.raises(Kept), store.keep():
        pass
    with store.keep():
        pass


def test_a_deletion_under_way_does_not_stop_who_keeps(store):
    keys = [hashlib.sha256(bytes([i])).hexdigest() for i in range(200)]
    for key in keys:
        store.put(key, b"abc")
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(lambda: [store.delete(key) for key in keys])
        for _ in range(20):
            with store.keep():
                kept = {stored.key for stored in store.stored_keys()}
                assert kept == {stored.key for stored in store.stored_keys()}
        deleting.result()


def test_what_was_put_lately_is_not_deleted(store):
    store.put(KEY, b"abc")
    now = datetime.now(UTC)
    assert store.delete(KEY, unless_since=now - timedelta(hours=24)) is False
    assert store.get(KEY) == b"abc"
    assert store.delete(KEY, unless_since=now + timedelta(seconds=1)) is True


def test_keys_come_with_the_time_of_the_put(store):
    before = datetime.now(UTC) - timedelta(seconds=1)
    expected = {hashlib.sha256(bytes([i])).hexdigest() for i in range(20)}
    for key in expected:
        store.put(key, b"abc")
    found = list(store.stored_keys())
    assert {stored.key for stored in found} == expected
    assert all(before <= stored.stored_at <= datetime.now(UTC) for stored in found)


def test_an_empty_store_has_no_keys(store):
    assert list(store.stored_keys()) == []
    assert store.forget_unfinished(before=datetime.now(UTC)) == 0


def test_threads_may_put_and_delete_at_once(store):
    def work(number):
        key = hashlib.sha256(bytes([number % 4])).hexdigest()
        store.put(key, bytes([number % 4]) * 1000)
        store.delete(key, unless_since=datetime.now(UTC) - timedelta(minutes=1))
        return store.get(key)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(64)))
    assert found == [bytes([number % 4]) * 1000 for number in range(64)]


def test_a_put_that_fails_leaves_nothing(tmp_path):
    store = FilesystemBlobStore(tmp_path / "blobs")
    store.put(KEY, b"abc")
    leaf = tmp_path / "blobs" / KEY[:2] / KEY[2:4]
    (leaf / KEY).unlink()
    (leaf / KEY).mkdir()
    with pytest.raises(OSError, match=KEY):
        store.put(KEY, b"abc")
    assert list((tmp_path / "blobs" / "unfinished").iterdir()) == []


@pytest.mark.parametrize("taken", [".", KEY[:2], f"{KEY[:2]}/{KEY[2:4]}", "unfinished"])
def test_directories_that_were_taken_away_are_made_again(tmp_path, taken):
    store = FilesystemBlobStore(tmp_path / "blobs")
    store.put(KEY, b"abc")
    shutil.rmtree(tmp_path / "blobs" / taken)
    store.put(KEY, b"abc")
    assert store.get(KEY) == b"abc"


def test_files_of_a_killed_put_are_removed_by_age_and_are_no_keys(tmp_path):
    store = FilesystemBlobStore(tmp_path / "blobs")
    store.put(KEY, b"abc")
    rest = tmp_path / "blobs" / "unfinished" / "0123"
    rest.write_bytes(b"ab")
    now = datetime.now(UTC)
    assert [stored.key for stored in store.stored_keys()] == [KEY]
    assert store.forget_unfinished(before=now - timedelta(hours=24)) == 0
    os.utime(rest, (0, 0))
    assert store.forget_unfinished(before=now - timedelta(hours=24)) == 1
    assert not rest.exists()
