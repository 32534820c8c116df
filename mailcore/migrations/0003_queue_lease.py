"""What claiming asks of the queue's table.

Only a queued row has a next attempt, so the index of due rows may go by that: with the state as a
parameter no planner can tell that the index serves. An index of the rows under a lease: a renewal
every ten seconds must not read the whole table.
"""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("mailcore", "0002_database_specific")]
    operations = [
        migrations.RemoveConstraint("queuedrecipient", "ck_queuedrecipient_next"),
        migrations.AddConstraint(
            "queuedrecipient",
            models.CheckConstraint(
                condition=Q(state="queued", next_attempt_at__isnull=False)
                | (~Q(state="queued") & Q(next_attempt_at__isnull=True)),
                name="ck_queuedrecipient_next",
            ),
        ),
        migrations.RemoveIndex("queuedrecipient", "ix_queuedrecipient_due"),
        migrations.AddIndex(
            "queuedrecipient",
            models.Index(
                fields=["domain", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="ix_queuedrecipient_due",
            ),
        ),
        migrations.AddIndex(
            "queuedrecipient",
            models.Index(
                fields=["lease_token"],
                condition=Q(lease_token__isnull=False),
                name="ix_queuedrecipient_lease",
            ),
        ),
    ]
