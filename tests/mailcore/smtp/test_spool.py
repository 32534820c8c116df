"""Content while it arrives."""

from __future__ import annotations

import pytest

from mailcore.smtp.spool import Spool


@pytest.mark.parametrize("octets", [0, 1, 100, 101, 5000])
def test_spool_gives_back_what_was_written_in_memory_or_file(tmp_path, octets):
    content = bytes(i % 251 for i in range(octets))
    spool = Spool(directory=tmp_path / "spool", memory_octets=100)
    for start in range(0, octets, 33):
        spool.write(content[start : start + 33])
    assert spool.size == octets
    assert bytes(spool.view()) == content
    assert bytes(spool.view()[10:20]) == content[10:20]
    spool.close()
    spool.close()


def test_file_of_a_large_spool_has_no_name(tmp_path):
    spool = Spool(directory=tmp_path, memory_octets=10)
    spool.write(b"x" * 100)
    assert list(tmp_path.iterdir()) == []
    spool.close()


def test_a_full_disk_is_remembered_and_further_octets_only_counted(tmp_path):
    (tmp_path / "file").write_text("")
    spool = Spool(directory=tmp_path / "file", memory_octets=10)
    spool.write(b"x" * 100)
    spool.write(b"x" * 100)
    assert isinstance(spool.fault, OSError)
    assert spool.size == 200
    spool.close()
