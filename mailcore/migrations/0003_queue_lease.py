"""An index of the rows under a lease: a renewal every ten seconds must not read the whole table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailcore", "0002_database_specific")]
    operations = [
        migrations.AddIndex(
            model_name="queuedrecipient",
            index=models.Index(
                fields=["lease_token"],
                condition=models.Q(("lease_token__isnull", False)),
                name="ix_queuedrecipient_lease",
            ),
        )
    ]
