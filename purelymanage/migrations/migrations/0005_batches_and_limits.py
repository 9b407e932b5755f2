from __future__ import annotations

import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import purelymanage.migrations.models.queue


class Migration(migrations.Migration):
    dependencies = [
        ("mailboxes", "0007_orders_of_the_list"),
        ("migrations", "0004_run_passwords"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
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
                    "uuid",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
                ),
                ("name", models.CharField(max_length=100)),
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("sheet", models.TextField(blank=True)),
                ("wishes", models.JSONField(blank=True, default=dict)),
                ("domains", models.JSONField(blank=True, default=list)),
                (
                    "parallel_runs",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("tells_owners", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="QueueRules",
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
                    "parallel_runs",
                    models.PositiveSmallIntegerField(
                        default=purelymanage.migrations.models.queue.default_parallel_runs,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                    ),
                ),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("pause_from", models.TimeField(blank=True, null=True)),
                ("pause_until", models.TimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ServerDay",
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
                ("day", models.DateField()),
                ("bytes", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="job",
            name="stored_passwords_expire",
        ),
        migrations.AddField(
            model_name="job",
            name="creates_destination",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="job",
            name="destination_secret",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="job",
            name="destination_server",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="jobs_into_it",
                to="migrations.server",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="engine",
            field=models.CharField(
                choices=[
                    ("auto", "Whatever the panel prefers"),
                    ("pipeline", "Pipeline"),
                    ("imapsync", "imapsync"),
                ],
                default="auto",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="hand_over",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="mailboxes.handover",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="login",
            field=models.CharField(
                blank=True,
                choices=[
                    ("waiting", "Not tried yet"),
                    ("trying", "Being tried"),
                    ("right", "Let in"),
                    ("wrong", "Not let in"),
                    ("unknown", "No answer"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="login_tried_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="login_words",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="job",
            name="number",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="options",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="job",
            name="owner_told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="priority",
            field=models.SmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="job",
            name="removed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="starts_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="moved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="runerror",
            name="arrived_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="server",
            name="bytes_a_day",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="server",
            name="engine",
            field=models.CharField(
                choices=[
                    ("auto", "Whatever the panel prefers"),
                    ("pipeline", "Pipeline"),
                    ("imapsync", "imapsync"),
                ],
                default="auto",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="server",
            name="left_out_folders",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="server",
            name="messages_a_second",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="server",
            name="parallel_runs",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AddField(
            model_name="server",
            name="pause_from",
            field=models.TimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="server",
            name="pause_until",
            field=models.TimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="server",
            name="preset",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AlterField(
            model_name="job",
            name="destination",
            field=models.CharField(max_length=254),
        ),
        migrations.AlterField(
            model_name="job",
            name="destination_domain",
            field=models.CharField(blank=True, db_index=True, max_length=253),
        ),
        migrations.AlterField(
            model_name="run",
            name="trouble",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="server",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pause_from", None),
                    ("pause_until", None),
                    _connector="XOR",
                    _negated=True,
                ),
                name="server_pauses_have_both_ends",
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="server",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="migrations.server",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="jobs",
                to="migrations.batch",
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["batch", "number"], name="job_batch"),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("destination_secret", ""), ("source_secret", "")),
                    ("secret_expires_at__isnull", False),
                    _connector="OR",
                ),
                name="stored_passwords_expire",
            ),
        ),
        migrations.AddField(
            model_name="queuerules",
            name="paused_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="serverday",
            name="server",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="days",
                to="migrations.server",
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["-confirmed_at"], name="batch_confirmed"),
        ),
        migrations.AddConstraint(
            model_name="queuerules",
            constraint=models.CheckConstraint(
                condition=models.Q(("pk", 1)), name="one_queue_only"
            ),
        ),
        migrations.AddConstraint(
            model_name="queuerules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pause_from", None),
                    ("pause_until", None),
                    _connector="XOR",
                    _negated=True,
                ),
                name="queue_pauses_have_both_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="serverday",
            constraint=models.UniqueConstraint(
                fields=("server", "day"), name="one_row_per_day_of_a_server"
            ),
        ),
    ]
