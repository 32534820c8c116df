"""A word index by field and by date; all mail is indexed again by the derive worker.

What stood in the old index cannot be told apart by field, so it goes, and every content is marked
as waiting once more. Mail can be read meanwhile; it is found as soon as it was derived again.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CHUNK = 5000
_SQLITE = (
    "DELETE FROM mailcore_searchentry",
    "DROP TABLE IF EXISTS mailcore_searchwords",
    "CREATE VIRTUAL TABLE mailcore_searchwords USING fts5(mailbox, subject, sender, recipient, cc,"
    " bcc, files, list_id, marks, body, tokenize = 'ascii', prefix = '2 3', columnsize = 0)",
)
_SQLITE_UNDO = (
    "DROP TABLE mailcore_searchwords",
    "CREATE VIRTUAL TABLE mailcore_searchwords"
    " USING fts5(words, tokenize = 'unicode61 remove_diacritics 2')",
)
_POSTGRESQL = (
    "TRUNCATE mailcore_searchentry",
    # Vectors stand apart: what sorts by date and joins reads a hundred rows from a page.
    "ALTER TABLE mailcore_searchentry SET (toast_tuple_target = 128)",
)
_POSTGRESQL_UNDO = ("ALTER TABLE mailcore_searchentry RESET (toast_tuple_target)",)


def forget(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put every content back on the list of what waits, in chunks."""
    contents = apps.get_model("mailcore", "Content").objects
    last = contents.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, last + 1, CHUNK):
        chunk = contents.filter(pk__gte=start, pk__lt=start + CHUNK, parsed_at__isnull=False)
        chunk.update(parsed_at=None, parse_attempts=0)


def rebuild(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _POSTGRESQL if _is_postgresql(schema_editor) else _SQLITE:
        schema_editor.execute(statement)


def undo(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _POSTGRESQL_UNDO if _is_postgresql(schema_editor) else _SQLITE_UNDO:
        schema_editor.execute(statement)


def _is_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


class Migration(migrations.Migration):
    atomic = False  # each chunk commits; after a crash it starts again
    dependencies = [("mailcore", "0010_sign_ins")]
    operations = [
        migrations.RunPython(forget, forget),
        migrations.RunPython(rebuild, undo),
        migrations.AddField("searchentry", "place", models.BigIntegerField(default=0)),
    ]
