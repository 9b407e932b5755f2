from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deletions", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="pendingdeletion",
            name="found",
            field=models.JSONField(default=dict),
        ),
    ]
