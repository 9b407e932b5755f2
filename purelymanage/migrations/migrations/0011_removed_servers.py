from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("migrations", "0009_campaigns")]

    operations = [
        migrations.AddField(
            model_name="server",
            name="removed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RemoveConstraint(model_name="server", name="one_server_per_name"),
        migrations.AddConstraint(
            model_name="server",
            constraint=models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(("removed_at", None)),
                name="one_server_per_name",
            ),
        ),
    ]
