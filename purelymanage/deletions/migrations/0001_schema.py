from __future__ import annotations

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("deletions", "0001_initial"), ("deletions", "0002_found")]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PendingDeletion",
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
                            ("mailbox", "Mailbox"),
                            ("domain", "Domain"),
                            ("rule", "Rule"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=254)),
                ("label", models.CharField(max_length=320)),
                ("domain", models.CharField(max_length=253)),
                ("impact", models.JSONField(default=dict)),
                ("found", models.JSONField(default=dict)),
                ("restore", models.JSONField(null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("batch", models.UUIDField(db_index=True, default=uuid.uuid4)),
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
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("waits_since", models.DateTimeField(null=True)),
                ("delete_after", models.DateTimeField(null=True)),
                ("warned_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("approval", "Waits for a second person"),
                            ("waiting", "Waiting"),
                            ("deleting", "Being deleted"),
                            ("paused", "Needs another look"),
                            ("deleted", "Deleted"),
                            ("cancelled", "Cancelled"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("restored_at", models.DateTimeField(null=True)),
                (
                    "restored_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["delete_after"],
                        name="deletion_waiting",
                    ),
                    models.Index(fields=["-settled_at"], name="deletion_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ("approval", "waiting", "deleting", "paused"))
                        ),
                        fields=("kind", "key"),
                        name="one_open_deletion_per_object",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("settled_at", None),
                                (
                                    "state__in",
                                    ("approval", "waiting", "deleting", "paused"),
                                ),
                            ),
                            models.Q(
                                ("settled_at__isnull", False),
                                (
                                    "state__in",
                                    ("deleted", "cancelled", "refused", "failed"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="settled_deletions_have_a_date",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ["waiting", "deleting", "deleted"]),
                                _negated=True,
                            ),
                            ("delete_after__isnull", False),
                            _connector="OR",
                        ),
                        name="running_deletions_have_an_hour",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("lease_until__isnull", False), ("state", "deleting")
                            ),
                            models.Q(
                                models.Q(("state", "deleting"), _negated=True),
                                ("lease_until", None),
                            ),
                            _connector="OR",
                        ),
                        name="claimed_deletions_have_a_lease",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Precaution",
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
                    "deletion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="precautions",
                        to="deletions.pendingdeletion",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("lock", "Locked"), ("route", "Routed elsewhere")],
                        max_length=10,
                    ),
                ),
                ("target", models.EmailField(blank=True, max_length=254)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked for"),
                            ("taken", "In force"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                            ("kept", "Cannot be undone"),
                            ("failed", "Failed"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("known", models.JSONField(default=dict)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("try_after", models.DateTimeField(default=django.utils.timezone.now)),
                ("note", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("deletion", "kind"), name="each_precaution_once"
                    )
                ],
            },
        ),
    ]
