from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deletions", "0002_found"),
        ("routing", "0002_rewrites"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SnapshotContent",
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
                ("digest", models.CharField(max_length=64, unique=True)),
                ("state", models.JSONField()),
                ("counts", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="Snapshot",
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
                (
                    "occasion",
                    models.CharField(
                        choices=[
                            ("daily", "Daily"),
                            ("asked", "Taken by hand"),
                            ("mailboxes", "Before a bulk change of mailboxes"),
                            ("rules", "Before a bulk change of rules"),
                            ("restore", "Before a restore"),
                        ],
                        max_length=10,
                    ),
                ),
                ("day", models.DateField(blank=True, null=True, unique=True)),
                ("taken_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("synced_at", models.DateTimeField(null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="snapshots",
                        to="routing.snapshotcontent",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RuleBulk",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("template", "One rule over many domains"),
                            ("import", "Import"),
                            ("restore", "Restore"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("running", "Running"),
                            ("stopped", "Stopped"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("wishes", models.JSONField(default=dict)),
                ("sheet", models.JSONField(blank=True, null=True)),
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("domains", models.JSONField(default=list)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("failures_in_a_row", models.PositiveIntegerField(default=0)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                (
                    "requested_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="routing.snapshot",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Expiry",
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
                ("remote_id", models.BigIntegerField(unique=True)),
                ("domain", models.CharField(max_length=253)),
                ("ends_on", models.DateField()),
                ("set_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("trouble", models.CharField(blank=True, max_length=300)),
                (
                    "deletion",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="deletions.pendingdeletion",
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "expiries",
                "indexes": [models.Index(fields=["ends_on"], name="expiry_ends_on")],
            },
        ),
        migrations.CreateModel(
            name="RuleBulkRow",
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
                ("pattern", models.CharField(max_length=320)),
                ("domain", models.CharField(blank=True, max_length=253)),
                ("old", models.JSONField(blank=True, null=True)),
                ("new", models.JSONField(blank=True, null=True)),
                ("wishes", models.JSONField(default=dict)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("changed", "Changed"),
                            ("removed", "Removed"),
                            ("same", "Same"),
                            ("error", "Error"),
                        ],
                        max_length=10,
                    ),
                ),
                ("faults", models.JSONField(default=list)),
                ("warnings", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("working", "Being done"),
                            ("done", "Done"),
                            ("same", "Already so"),
                            ("failed", "Failed"),
                            ("left_out", "Left out"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "bulk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="routing.rulebulk",
                    ),
                ),
            ],
            options={
                "ordering": ["bulk", "number"],
                "indexes": [
                    models.Index(fields=["bulk", "state"], name="rule_bulk_row_state")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("bulk", "number"),
                        name="one_row_per_line_of_a_rule_bulk",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="snapshot",
            index=models.Index(fields=["-taken_at"], name="snapshot_latest"),
        ),
    ]
