from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("domains", "0001_initial"),
        ("domains", "0002_queued_syncs"),
        ("domains", "0003_dns_health"),
        ("domains", "0004_dns_requests"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Domain",
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
                ("name", models.CharField(max_length=253, unique=True)),
                ("is_shared", models.BooleanField(default=False)),
                ("allow_account_reset", models.BooleanField(default=True)),
                ("symbolic_subaddressing", models.BooleanField(default=True)),
                ("passes_mx", models.BooleanField(default=False)),
                ("passes_spf", models.BooleanField(default=False)),
                ("passes_dkim", models.BooleanField(default=False)),
                ("passes_dmarc", models.BooleanField(default=False)),
                (
                    "first_seen_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="OwnershipCode",
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
                ("value", models.CharField(max_length=1000)),
                ("read_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="SyncRun",
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
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("summary", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "indexes": [models.Index(fields=["-finished_at"], name="sync_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")),
                        fields=("state",),
                        name="one_sync_at_a_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "queued")),
                        fields=("state",),
                        name="one_sync_waits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Addition",
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
                ("name", models.CharField(max_length=253)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for the record"),
                            ("adding", "Being added"),
                            ("added", "Added"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Not seen in seven days"),
                            ("failed", "Refused"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
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
                ("allow_account_reset", models.BooleanField(default=False)),
                ("next_look_at", models.DateTimeField(blank=True, null=True)),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
                ("looks", models.PositiveIntegerField(default=0)),
                ("expires_at", models.DateTimeField()),
                ("tries", models.PositiveIntegerField(default=0)),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["next_look_at"],
                        name="addition_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "adding"])),
                        fields=("name",),
                        name="one_open_addition_per_domain",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Change",
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
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="domains.domain",
                    ),
                ),
                ("seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("record", "Record"),
                            ("state", "State"),
                            ("witness", "PurelyMail's verdict"),
                        ],
                        max_length=10,
                    ),
                ),
                ("subject", models.CharField(max_length=300)),
                ("before", models.JSONField(default=list)),
                ("after", models.JSONField(default=list)),
                ("sentence", models.TextField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["domain", "-seen_at"], name="change_of_domain")
                ],
            },
        ),
        migrations.CreateModel(
            name="Health",
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
                    "domain",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="health",
                        to="domains.domain",
                    ),
                ),
                ("observation", models.JSONField(default=dict)),
                ("known", models.JSONField(default=dict)),
                ("cells", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unseen", "Not looked at yet"),
                            ("unknown", "Could not look"),
                            ("good", "Healthy"),
                            ("attention", "Needs attention"),
                            ("broken", "Broken"),
                        ],
                        default="unseen",
                        max_length=10,
                    ),
                ),
                ("finding_count", models.PositiveIntegerField(default=0)),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "next_look_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("state_since", models.DateTimeField(blank=True, null=True)),
                ("red_looks", models.PositiveIntegerField(default=0)),
                ("red_since", models.DateTimeField(blank=True, null=True)),
                ("blind_since", models.DateTimeField(blank=True, null=True)),
                ("asked_at", models.DateTimeField(blank=True, null=True)),
                ("touched_at", models.DateTimeField(blank=True, null=True)),
                ("announced_state", models.CharField(default="unseen", max_length=10)),
                ("announced_at", models.DateTimeField(blank=True, null=True)),
                ("turning_to", models.CharField(blank=True, max_length=10)),
                ("turning_since", models.DateTimeField(blank=True, null=True)),
                ("sees", models.JSONField(default=dict)),
                ("disputed", models.JSONField(default=list)),
                ("rechecked_at", models.DateTimeField(blank=True, null=True)),
                ("next_recheck_at", models.DateTimeField(blank=True, null=True)),
                ("rechecks", models.PositiveIntegerField(default=0)),
                ("disputed_since", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["next_look_at"], name="health_due"),
                    models.Index(
                        condition=models.Q(("next_recheck_at__isnull", False)),
                        fields=["next_recheck_at"],
                        name="health_to_recheck",
                    ),
                ],
            },
        ),
    ]
