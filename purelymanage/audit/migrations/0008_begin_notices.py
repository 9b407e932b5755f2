from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def begin_at_the_end(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Nobody wants to be told of everything that happened before there were notices."""
    last = apps.get_model("audit", "Entry").objects.order_by("-sequence").first()
    if last:
        apps.get_model("audit", "NoticeCursor").objects.get_or_create(
            pk=1, defaults={"sequence": last.sequence}
        )


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_notices")]

    operations = [
        migrations.RunPython(begin_at_the_end, migrations.RunPython.noop),
    ]
