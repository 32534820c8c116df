"""Reports of other hosts: the list of those to read, what they said, and the way from ENVID."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailcore", "0003_queue_lease")]
    operations = [
        migrations.CreateModel(
            name="WaitingReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content_id", models.BigIntegerField(unique=True)),
                ("noted_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="queuedrecipient",
            name="reported_action",
            field=models.CharField(blank=True, default="", max_length=12),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("envid", ""), _negated=True),
                fields=["envid"],
                name="ix_queued_envid",
            ),
        ),
    ]
