"""Conversations that somebody muted: the database gives the default, deliveries never name it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailcore", "0013_further_addresses")]
    operations = [
        migrations.AddField(
            model_name="thread",
            name="is_muted",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="thread",
            index=models.Index(
                condition=models.Q(("is_muted", True)), fields=["mailbox"], name="ix_thread_muted"
            ),
        ),
    ]
