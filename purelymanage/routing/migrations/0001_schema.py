from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import purelymanage.routing.models.rewrites


class Migration(migrations.Migration):
    replaces = [
        ("routing", "0001_initial"),
        ("routing", "0002_rewrites"),
        ("routing", "0003_snapshots"),
        ("routing", "0004_creations_notes_and_makers"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("deletions", "0001_schema"),
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
            name="Rule",
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
                ("domain", models.CharField(db_index=True, max_length=253)),
                ("match_user", models.CharField(blank=True, max_length=254)),
                ("prefix", models.BooleanField()),
                ("catchall", models.BooleanField()),
                (
                    "targets",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=254), size=None
                    ),
                ),
                (
                    "first_seen_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.TextField(blank=True, max_length=2000)),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("made_as", models.CharField(blank=True, max_length=150)),
            ],
            options={
                "ordering": ["domain", "match_user", "remote_id"],
            },
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
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="snapshots",
                        to="routing.snapshotcontent",
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
                ("taken_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("synced_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["-taken_at"], name="snapshot_latest")],
            },
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
                ("domains", models.JSONField(default=list)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("failures_in_a_row", models.PositiveIntegerField(default=0)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
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
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("set_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
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
                ("trouble", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name_plural": "expiries",
                "indexes": [models.Index(fields=["ends_on"], name="expiry_ends_on")],
            },
        ),
        migrations.CreateModel(
            name="Rewrite",
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
                ("old_id", models.BigIntegerField()),
                (
                    "new_id",
                    models.BigIntegerField(blank=True, db_index=True, null=True),
                ),
                ("domain", models.CharField(max_length=253)),
                ("old", models.JSONField()),
                ("new", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Being replaced"),
                            ("done", "Replaced"),
                            ("failed", "Not replaced"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("is_begun", models.BooleanField(default=False)),
                ("is_going_back", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("tries", models.PositiveIntegerField(default=1)),
                (
                    "lease_until",
                    models.DateTimeField(
                        default=purelymanage.routing.models.rewrites.in_a_while
                    ),
                ),
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
                ("requested_as", models.CharField(blank=True, max_length=150)),
                (
                    "requested_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["lease_until"],
                        name="rewrite_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("old_id",),
                        name="one_open_rewrite_per_rule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "open"),
                            ("settled_at__isnull", False),
                            _connector="XOR",
                        ),
                        name="settled_rewrites_have_a_date",
                    ),
                ],
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
                (
                    "bulk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="routing.rulebulk",
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
        migrations.CreateModel(
            name="RuleCreation",
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
                ("domain", models.CharField(max_length=253)),
                ("match_user", models.CharField(blank=True, max_length=254)),
                ("prefix", models.BooleanField()),
                ("catchall", models.BooleanField()),
                ("targets", models.JSONField()),
                ("note", models.TextField(blank=True, max_length=2000)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
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
                ("requested_as", models.CharField(blank=True, max_length=150)),
                (
                    "requested_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "asked")),
                        fields=("domain", "match_user", "prefix"),
                        name="one_open_creation_per_match",
                    )
                ],
            },
        ),
    ]
