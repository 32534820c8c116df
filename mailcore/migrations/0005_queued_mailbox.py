"""In whose name a queued message was submitted: its people see what becomes of it."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    """Take the mailbox from the Sent copy, or from the draft of what waits."""
    queued = apps.get_model("mailcore", "QueuedMessage")
    for name, model in (("sent_message", "Message"), ("draft", "Draft")):
        rows = apps.get_model("mailcore", model).objects.filter(pk=OuterRef(f"{name}_id"))
        known = queued.objects.filter(mailbox=None).exclude(**{name: None})
        known.update(mailbox_id=Subquery(rows.values("mailbox_id")[:1]))


class Migration(migrations.Migration):
    dependencies = [("mailcore", "0004_reports")]
    operations = [
        migrations.AddField(
            model_name="queuedmessage",
            name="mailbox",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="mailcore.mailbox",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(fields=["mailbox", "id"], name="ix_queued_mailbox"),
        ),
    ]
