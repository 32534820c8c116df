"""Delivery reports that came in and were not read yet (RFC 3464): a to-do list.

A row says only which content is one; it goes when the report has been read. No foreign key: it
must keep nobody from removing the message, and then there is nothing left to do.
"""

from __future__ import annotations

from django.db import models


class WaitingReport(models.Model):
    """A derived content that is a report. `store.reports` writes and removes the rows."""

    content_id = models.BigIntegerField(unique=True)
    noted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"report {self.content_id}"
