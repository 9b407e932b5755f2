from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Lower

LONGEST = 100


def number_the_later_ones(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Tell apart servers whose names differ in nothing but case."""
    taken: set[str] = set()
    for server in apps.get_model("migrations", "Server").objects.order_by("pk"):
        name, number = server.name, 1
        while name.lower() in taken:
            number += 1
            end = f" ({number})"
            name = server.name[: LONGEST - len(end)] + end
        taken.add(name.lower())
        if name != server.name:
            server.name = name
            server.save(update_fields=["name"])


class Migration(migrations.Migration):
    dependencies = [("migrations", "0002_there_at_first")]

    operations = [
        migrations.AlterField(
            model_name="server", name="name", field=models.CharField(max_length=100)
        ),
        migrations.RunPython(number_the_later_ones, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="server",
            constraint=models.UniqueConstraint(
                Lower("name"), name="one_server_per_name"
            ),
        ),
    ]
