"""PostgreSQL: search entries of a mailbox by date, for windows of time and for common words.

SQLite needs none: there the place is the rowid of the words.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def create(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX ix_searchentry_place ON mailcore_searchentry (mailbox_id, place)"
        )


def drop(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX ix_searchentry_place")


class Migration(migrations.Migration):
    dependencies = [("mailcore", "0011_search_words")]
    operations = [migrations.RunPython(create, drop)]
