"""Raw messages as they came: Blob rows, inline and compressed or in the BlobStore.

Knows octets and digests, nothing about messages.
"""

from mailcore.rawmail.collector import Collected, collect
from mailcore.rawmail.place import (
    BlobDamaged,
    PreparedBlob,
    StoredBlob,
    blob_store,
    open_range,
    prepare,
    read,
    read_checked,
    read_many,
    read_range,
    rows,
    save,
)

__all__ = [
    "BlobDamaged",
    "Collected",
    "PreparedBlob",
    "StoredBlob",
    "blob_store",
    "collect",
    "open_range",
    "prepare",
    "read",
    "read_checked",
    "read_many",
    "read_range",
    "rows",
    "save",
]
