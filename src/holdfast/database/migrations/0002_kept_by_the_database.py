"""What CHECK and UNIQUE cannot say: no overlapping segments, nothing undone (see `database/triggers.py`)."""

from typing import Any

from django.db import migrations

from holdfast.database import triggers


def install(_: Any, schema_editor: Any) -> None:
    """Make the vendor's own triggers and constraints."""
    with schema_editor.connection.cursor() as cursor:
        for statement in triggers.statements(schema_editor.connection.vendor):
            cursor.execute(statement)


class Migration(migrations.Migration):
    """Run once, after the tables."""

    dependencies = (("database", "0001_register"),)
    operations = (migrations.RunPython(install, migrations.RunPython.noop),)
