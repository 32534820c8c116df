"""What Django's models cannot say: storage of blobs, the full-text index, the BRIN index of time."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS unaccent",
    "CREATE EXTENSION IF NOT EXISTS btree_gin",
    # Blobs are compressed by us; PostgreSQL's own attempt would be wasted work.
    "ALTER TABLE mailcore_blob ALTER COLUMN data SET STORAGE EXTERNAL",
    "ALTER TABLE mailcore_searchentry ADD COLUMN tsv tsvector",
    "ALTER TABLE mailcore_searchentry ALTER COLUMN tsv SET STATISTICS 3000",
    "CREATE INDEX ix_searchentry_tsv ON mailcore_searchentry USING gin (mailbox_id, tsv)",
    "CREATE INDEX ix_trace_at ON mailcore_traceevent USING brin (at)",
)
SQLITE = (
    "CREATE VIRTUAL TABLE mailcore_searchwords"
    " USING fts5(words, tokenize = 'unicode61 remove_diacritics 2')",
    "CREATE INDEX ix_trace_at ON mailcore_traceevent (at)",
)
POSTGRESQL_UNDO = (
    "DROP INDEX ix_trace_at",
    "DROP INDEX ix_searchentry_tsv",
    "ALTER TABLE mailcore_searchentry DROP COLUMN tsv",
)
SQLITE_UNDO = ("DROP INDEX ix_trace_at", "DROP TABLE mailcore_searchwords")


def apply(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def undo(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in POSTGRESQL_UNDO if postgresql else SQLITE_UNDO:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("mailcore", "0001_initial")]
    operations = [migrations.RunPython(apply, undo)]
