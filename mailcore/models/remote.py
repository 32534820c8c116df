"""Pictures of other servers, drawn anew, kept for a week for whoever asks again.

A cache: every row may be deleted at any time. Knows nothing of who asked or which message did.
"""

from __future__ import annotations

from django.db import models


class RemoteImage(models.Model):
    """A picture under the SHA-256 of its address; one that could not be had has no octets."""

    key = models.BinaryField(max_length=32, unique=True)
    content_type = models.CharField(max_length=20, blank=True, default="")
    size = models.PositiveIntegerField(default=0)
    fetched_at = models.DateTimeField()
    data = models.BinaryField(default=b"")

    class Meta:
        indexes = [  # store.remote_images: the oldest go
            models.Index(fields=["fetched_at", "size"], name="ix_remoteimage_fetched")
        ]

    def __str__(self) -> str:
        return bytes(self.key).hex()
