from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0008_begin_notices")]

    operations = [
        migrations.CreateModel(
            name="KeyProof",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("name", models.CharField(max_length=40, unique=True)),
                ("proof", models.TextField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
    ]
