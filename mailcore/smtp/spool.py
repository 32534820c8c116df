"""Content while it arrives: in memory when small, in a temporary file above a bound.

The file has no name, so nothing is left after a crash. Not durable: the store makes it so.
"""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path
from typing import BinaryIO

MEMORY_OCTETS = 2**20


class Spool:
    """Octets written once, then read. Not safe for use by two threads at a time."""

    def __init__(self, *, directory: Path, memory_octets: int = MEMORY_OCTETS) -> None:
        self._directory = directory
        self._memory_octets = memory_octets
        self._buffer = bytearray()
        self._file: BinaryIO | None = None
        self._map: mmap.mmap | None = None
        self.size = 0
        self.fault: OSError | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append octets. A full disk is kept in `fault`: a server must still read to the dot."""
        self.size += len(data)
        if self.fault is not None:
            return
        try:
            self._keep(data)
        except OSError as error:
            self.fault = error

    def _keep(self, data: bytes | bytearray | memoryview) -> None:
        if self._file is not None:
            self._file.write(data)
            return
        self._buffer += data
        if self.size > self._memory_octets:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - kept open
            self._file.write(self._buffer)
            self._buffer = bytearray()

    def view(self) -> bytes | mmap.mmap:
        """Return all octets, bytes-like and sliceable to bytes; valid until `close`."""
        if self._file is None:
            return bytes(self._buffer)
        if self._map is None:
            self._file.flush()
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._map

    def close(self) -> None:
        """Forget the octets; further calls do nothing."""
        self._buffer = bytearray()
        if self._map is not None:
            self._map.close()
            self._map = None
        if self._file is not None:
            self._file.close()
            self._file = None
