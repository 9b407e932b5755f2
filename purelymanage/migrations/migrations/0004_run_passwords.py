from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailboxes", "0003_who_wants_app_passwords_revoked"),
        ("migrations", "0003_one_server_per_name"),
    ]

    operations = [
        migrations.DeleteModel(name="AppPassword"),
        migrations.CreateModel(
            name="RunPassword",
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
                ("attempt", models.PositiveIntegerField()),
                (
                    "app_password",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailboxes.apppassword",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="app_passwords",
                        to="migrations.run",
                    ),
                ),
            ],
        ),
    ]
