"""Where octets too large for a row are kept: a small protocol and its implementations.

Knows keys and octets. What they mean and when they go is `rawmail`'s to say.
"""

from mailcore.blobs.filesystem import FilesystemBlobStore
from mailcore.blobs.protocol import BlobMissing, BlobStore, InvalidKey, Kept, StoredKey

__all__ = ["BlobMissing", "BlobStore", "FilesystemBlobStore", "InvalidKey", "Kept", "StoredKey"]
