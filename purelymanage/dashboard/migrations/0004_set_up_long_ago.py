from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone


def finish(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Ask nobody to set up a panel that people work with already."""
    if apps.get_model("accounts", "User").objects.exists():
        apps.get_model("dashboard", "Setup").objects.get_or_create(
            pk=1, defaults={"finished_at": timezone.now()}
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_schema"),
        ("dashboard", "0003_setting_up"),
    ]

    operations = [
        migrations.RunPython(finish, migrations.RunPython.noop),
    ]
