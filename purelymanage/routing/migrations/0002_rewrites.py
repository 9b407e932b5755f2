from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import purelymanage.routing.models.rewrites


class Migration(migrations.Migration):
    dependencies = [
        ("routing", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["lease_until"],
                        name="rewrite_open",
                    )
                ],
            },
        ),
    ]
