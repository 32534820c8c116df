"""What its sender has taken off the outbox: a recipient that the mail did not reach."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailcore", "0005_queued_mailbox")]
    operations = [
        migrations.AddField(
            model_name="queuedrecipient",
            name="dismissed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
