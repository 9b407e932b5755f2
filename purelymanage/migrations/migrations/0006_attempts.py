from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrations", "0005_batches_and_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
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
                ("number", models.PositiveIntegerField()),
                ("host", models.CharField(blank=True, max_length=253)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("settled", "Came to an end"),
                            ("postponed", "Failed, to be tried again"),
                            ("put_off", "Made a pause"),
                            ("interrupted", "Was interrupted"),
                            ("lost", "Lost its worker"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "trouble",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("password", "Needs a password"),
                            ("connection", "Could not connect"),
                            ("certificate", "Certificate not trusted"),
                            ("destination", "Destination not open"),
                            ("throttled", "Slowed down by the server"),
                            ("budget", "Limit of the day reached"),
                            ("quota", "Destination is full"),
                            ("oversize", "Messages too large"),
                            ("stalled", "Nothing moved any more"),
                            ("protocol", "Server not understood"),
                            ("other", "Failed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("copied", models.PositiveBigIntegerField(default=0)),
                ("bytes_copied", models.PositiveBigIntegerField(default=0)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="migrations.run",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "number"), name="one_row_per_attempt_of_a_run"
                    )
                ],
            },
        ),
    ]
