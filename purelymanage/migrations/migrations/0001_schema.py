from __future__ import annotations

import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import purelymanage.migrations.models.queue


class Migration(migrations.Migration):
    replaces = [
        ("migrations", "0001_initial"),
        ("migrations", "0002_there_at_first"),
        ("migrations", "0003_one_server_per_name"),
        ("migrations", "0004_run_passwords"),
        ("migrations", "0005_batches_and_limits"),
        ("migrations", "0006_attempts"),
        ("migrations", "0007_login_tests"),
        ("migrations", "0008_job_actions"),
        ("migrations", "0009_campaigns"),
        ("migrations", "0011_removed_servers"),
        ("migrations", "0012_password_tables"),
        ("migrations", "0013_day_allowances"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("audit", "0008_begin_notices"),
        ("mailboxes", "0001_schema"),
    ]

    operations = [
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
                (
                    "paused_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("pause_from", models.TimeField(blank=True, null=True)),
                ("pause_until", models.TimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pk", 1)), name="one_queue_only"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pause_from", None),
                            ("pause_until", None),
                            _connector="XOR",
                            _negated=True,
                        ),
                        name="queue_pauses_have_both_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Server",
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
                ("name", models.CharField(max_length=100)),
                ("host", models.CharField(max_length=253)),
                (
                    "port",
                    models.PositiveIntegerField(
                        default=993,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ],
                    ),
                ),
                (
                    "security",
                    models.CharField(
                        choices=[
                            ("tls", "TLS"),
                            ("starttls", "STARTTLS"),
                            ("clear", "None, everything in clear text"),
                        ],
                        default="tls",
                        max_length=10,
                    ),
                ),
                ("verify_certificate", models.BooleanField(default=True)),
                ("preset", models.CharField(blank=True, max_length=20)),
                (
                    "engine",
                    models.CharField(
                        choices=[
                            ("auto", "Whatever the panel prefers"),
                            ("pipeline", "Pipeline"),
                            ("imapsync", "imapsync"),
                        ],
                        default="auto",
                        max_length=10,
                    ),
                ),
                (
                    "parallel_runs",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                ("bytes_a_day", models.PositiveBigIntegerField(blank=True, null=True)),
                (
                    "bytes_a_day_each",
                    models.PositiveBigIntegerField(blank=True, null=True),
                ),
                ("messages_a_second", models.FloatField(blank=True, null=True)),
                ("pause_from", models.TimeField(blank=True, null=True)),
                ("pause_until", models.TimeField(blank=True, null=True)),
                ("left_out_folders", models.JSONField(blank=True, default=list)),
                ("tested_at", models.DateTimeField(blank=True, null=True)),
                ("test_passed", models.BooleanField(blank=True, null=True)),
                ("test_sentence", models.CharField(blank=True, max_length=500)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("removed_at", None)),
                        name="one_server_per_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pause_from", None),
                            ("pause_until", None),
                            _connector="XOR",
                            _negated=True,
                        ),
                        name="server_pauses_have_both_ends",
                    ),
                ],
            },
        ),
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
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="migrations.server",
                    ),
                ),
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
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-confirmed_at"], name="batch_confirmed")
                ],
            },
        ),
        migrations.CreateModel(
            name="Campaign",
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
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campaigns",
                        to="migrations.server",
                    ),
                ),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("same", "The same name at a domain"),
                            ("mapped", "As a table says"),
                            ("reviewed", "Chosen at the review"),
                        ],
                        default="same",
                        max_length=10,
                    ),
                ),
                ("destination_domain", models.CharField(blank=True, max_length=253)),
                ("domains", models.JSONField(blank=True, default=list)),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("de", "Deutsch")],
                        default="en",
                        max_length=2,
                    ),
                ),
                ("signed_by", models.CharField(max_length=100)),
                ("purpose", models.TextField(max_length=2000)),
                ("retention", models.TextField(max_length=1000)),
                ("contact", models.EmailField(max_length=254)),
                ("invitation_subject", models.CharField(max_length=150)),
                ("invitation_text", models.TextField(max_length=5000)),
                ("reminder_subject", models.CharField(max_length=150)),
                ("reminder_text", models.TextField(max_length=5000)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("token", models.TextField(blank=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ends_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("purged_at", models.DateTimeField(blank=True, null=True)),
                (
                    "batch",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campaign",
                        to="migrations.batch",
                    ),
                ),
                ("launched_at", models.DateTimeField(blank=True, null=True)),
                (
                    "launched_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("begins_with_plan", models.BooleanField(default=True)),
                ("takes_late_ones", models.BooleanField(default=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-created_at"], name="campaign_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("batch", None),
                            ("launched_at__isnull", False),
                            _connector="OR",
                        ),
                        name="launched_campaigns_have_a_date",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Job",
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
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="jobs",
                        to="migrations.server",
                    ),
                ),
                ("source_user", models.CharField(max_length=254)),
                ("source_secret", models.TextField(blank=True)),
                ("secret_expires_at", models.DateTimeField(blank=True, null=True)),
                ("secret_wiped_at", models.DateTimeField(blank=True, null=True)),
                ("destination", models.CharField(max_length=254)),
                (
                    "destination_domain",
                    models.CharField(blank=True, db_index=True, max_length=253),
                ),
                (
                    "destination_server",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="jobs_into_it",
                        to="migrations.server",
                    ),
                ),
                ("destination_secret", models.TextField(blank=True)),
                ("creates_destination", models.BooleanField(default=False)),
                (
                    "hand_over",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mailboxes.handover",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="jobs",
                        to="migrations.batch",
                    ),
                ),
                ("number", models.PositiveIntegerField(blank=True, null=True)),
                ("options", models.JSONField(blank=True, default=dict)),
                (
                    "engine",
                    models.CharField(
                        choices=[
                            ("auto", "Whatever the panel prefers"),
                            ("pipeline", "Pipeline"),
                            ("imapsync", "imapsync"),
                        ],
                        default="auto",
                        max_length=10,
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                (
                    "login",
                    models.CharField(
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
                ("login_words", models.CharField(blank=True, max_length=500)),
                ("login_tried_at", models.DateTimeField(blank=True, null=True)),
                ("login_tries", models.PositiveSmallIntegerField(default=0)),
                ("login_due_at", models.DateTimeField(blank=True, null=True)),
                ("owner_told_at", models.DateTimeField(blank=True, null=True)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["destination"], name="job_destination"),
                    models.Index(fields=["batch", "number"], name="job_batch"),
                    models.Index(
                        condition=models.Q(("login__in", ["waiting", "trying"])),
                        fields=["server", "login_due_at"],
                        name="job_login_open",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("destination_secret", ""), ("source_secret", "")),
                            ("secret_expires_at__isnull", False),
                            _connector="OR",
                        ),
                        name="stored_passwords_expire",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Participant",
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
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="participants",
                        to="migrations.campaign",
                    ),
                ),
                ("address", models.EmailField(max_length=254)),
                ("name", models.CharField(blank=True, max_length=100)),
                ("destination", models.CharField(blank=True, max_length=254)),
                ("is_listed", models.BooleanField(default=False)),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "token_hash",
                    models.CharField(blank=True, max_length=64, null=True, unique=True),
                ),
                ("token", models.TextField(blank=True)),
                (
                    "mail_due",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("invitation", "Invitation"),
                            ("reminder", "Reminder"),
                        ],
                        max_length=10,
                    ),
                ),
                ("mail_due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mail",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="audit.outgoingmail",
                    ),
                ),
                ("invited_at", models.DateTimeField(blank=True, null=True)),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("refused_at", models.DateTimeField(blank=True, null=True)),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "job",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="participant",
                        to="migrations.job",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("mail_due", ""), _negated=True),
                        fields=["mail_due_at"],
                        name="participant_mail_due",
                    ),
                    models.Index(
                        fields=["campaign", "submitted_at"],
                        name="participant_submitted",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "address"),
                        name="one_participant_per_address",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("mail_due", ""),
                            ("mail_due_at__isnull", False),
                            _connector="XOR",
                        ),
                        name="due_mail_has_a_date",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PasswordTable",
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
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="password_tables",
                        to="migrations.batch",
                    ),
                ),
                ("keys", models.JSONField()),
                ("sheet", models.TextField()),
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("columns", models.JSONField(blank=True, default=dict)),
                ("directions", models.JSONField(default=dict)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Run",
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
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="migrations.job",
                    ),
                ),
                ("pair", models.CharField(max_length=800)),
                ("dry_run", models.BooleanField()),
                ("engine", models.CharField(blank=True, max_length=20)),
                ("engine_version", models.CharField(blank=True, max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("is_newest", models.BooleanField(default=True)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("host", models.CharField(blank=True, max_length=253)),
                ("retries", models.PositiveIntegerField(default=0)),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("handed_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("stop_requested_at", models.DateTimeField(blank=True, null=True)),
                ("moved_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("connecting", "Signing in"),
                            ("listing", "Counting"),
                            ("reading", "Reading headers"),
                            ("copying", "Copying"),
                            ("comparing", "Comparing both sides"),
                            ("done", "Done"),
                        ],
                        default="connecting",
                        max_length=12,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=300)),
                ("folder_count", models.PositiveIntegerField(default=0)),
                ("folders_done", models.PositiveIntegerField(default=0)),
                ("messages", models.PositiveBigIntegerField(default=0)),
                ("bytes", models.PositiveBigIntegerField(default=0)),
                ("largest", models.PositiveBigIntegerField(default=0)),
                ("already_there", models.PositiveBigIntegerField(default=0)),
                ("to_copy", models.PositiveBigIntegerField(default=0)),
                ("bytes_to_copy", models.PositiveBigIntegerField(default=0)),
                ("copied", models.PositiveBigIntegerField(default=0)),
                ("bytes_copied", models.PositiveBigIntegerField(default=0)),
                (
                    "there_at_first",
                    models.PositiveBigIntegerField(blank=True, null=True),
                ),
                (
                    "bytes_there_at_first",
                    models.PositiveBigIntegerField(blank=True, null=True),
                ),
                ("copied_earlier", models.PositiveBigIntegerField(default=0)),
                ("bytes_copied_earlier", models.PositiveBigIntegerField(default=0)),
                ("failed", models.PositiveBigIntegerField(default=0)),
                ("samples", models.JSONField(default=list)),
                ("log", models.TextField(blank=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("complete", "Complete"),
                            ("complete_with_skips", "Complete, with messages left out"),
                            ("incomplete", "Incomplete"),
                            ("stopped", "Stopped"),
                        ],
                        max_length=20,
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
                ("failure", models.CharField(blank=True, max_length=500)),
                ("technical", models.CharField(blank=True, max_length=2000)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["queued_at", "id"],
                        name="run_open",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("finished_at__isnull", False), ("is_newest", True)
                        ),
                        fields=["-finished_at", "-id"],
                        name="run_newest_finished",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=("job",),
                        name="one_open_run_per_job",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_newest", True)),
                        fields=("job",),
                        name="one_newest_run_per_job",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state", "running"),
                            models.Q(("handed_at__isnull", False), ("state", "queued")),
                            _connector="OR",
                        ),
                        fields=("pair",),
                        name="one_copy_at_a_time_per_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["queued", "running"]),
                            ("finished_at__isnull", False),
                            _connector="XOR",
                        ),
                        name="settled_runs_have_an_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "running"), _negated=True),
                            ("lease_until__isnull", False),
                            _connector="OR",
                        ),
                        name="running_runs_have_a_lease",
                    ),
                ],
            },
        ),
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
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="migrations.run",
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
                ("reserved", models.PositiveBigIntegerField(default=0)),
                ("reserved_on", models.DateField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "number"), name="one_row_per_attempt_of_a_run"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RunError",
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
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="errors",
                        to="migrations.run",
                    ),
                ),
                ("folder", models.TextField()),
                ("uid", models.PositiveBigIntegerField()),
                ("size", models.PositiveBigIntegerField()),
                ("reason", models.CharField(max_length=500)),
                ("arrived_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RunFolder",
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
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="folders",
                        to="migrations.run",
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("source", models.TextField()),
                ("destination", models.TextField(blank=True)),
                ("messages", models.PositiveBigIntegerField(default=0)),
                ("bytes", models.PositiveBigIntegerField(default=0)),
                ("largest", models.PositiveBigIntegerField(default=0)),
                ("already_there", models.PositiveBigIntegerField(default=0)),
                ("to_copy", models.PositiveBigIntegerField(default=0)),
                ("bytes_to_copy", models.PositiveBigIntegerField(default=0)),
                ("copied", models.PositiveBigIntegerField(default=0)),
                ("bytes_copied", models.PositiveBigIntegerField(default=0)),
                ("failed", models.PositiveBigIntegerField(default=0)),
                ("exists", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("reading", "Reading"),
                            ("copying", "Copying"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "position"), name="one_row_per_folder_of_a_run"
                    )
                ],
            },
        ),
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
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="app_passwords",
                        to="migrations.run",
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
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="migrations.server",
                    ),
                ),
                ("user", models.CharField(blank=True, max_length=254)),
                ("day", models.DateField()),
                ("bytes", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("server", "user", "day"),
                        name="one_row_per_day_of_a_server",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SignIn",
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
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to="migrations.server",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to="migrations.campaign",
                    ),
                ),
                ("address_key", models.CharField(max_length=64)),
                ("client_key", models.CharField(max_length=64)),
                ("begun_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("holds_until", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("right", "Right"),
                            ("refused", "Refused"),
                            ("unanswered", "No answer"),
                        ],
                        max_length=10,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["address_key", "-begun_at"], name="sign_in_address"
                    ),
                    models.Index(
                        fields=["client_key", "-begun_at"], name="sign_in_client"
                    ),
                    models.Index(
                        fields=["campaign", "-begun_at"], name="sign_in_campaign"
                    ),
                    models.Index(fields=["server", "-begun_at"], name="sign_in_server"),
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["server", "holds_until"],
                        name="sign_in_under_way",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", ""),
                            ("ended_at__isnull", False),
                            _connector="XOR",
                        ),
                        name="ended_sign_ins_have_an_outcome",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Submission",
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
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="submissions",
                        to="migrations.participant",
                    ),
                ),
                ("user", models.CharField(blank=True, max_length=254)),
                ("secret", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits for the server"),
                            ("trying", "Being tried"),
                            ("right", "Right"),
                            ("refused", "Refused"),
                            ("unanswered", "The server never answered"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=500)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("agreed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "trying"])),
                        fields=["due_at"],
                        name="submission_untried",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "right")),
                        fields=("participant",),
                        name="one_right_password_each",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "trying"]),
                            ("due_at", None),
                            _connector="XOR",
                        ),
                        name="untried_submissions_are_due",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("secret", ""),
                            ("state__in", ["waiting", "trying", "right"]),
                            _connector="OR",
                        ),
                        name="useless_passwords_are_erased",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JobAction",
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
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="actions",
                        to="migrations.batch",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("plan", "Dry run"),
                            ("copy", "Run"),
                            ("retry", "Retry"),
                            ("stop", "Stop"),
                            ("remove", "Remove"),
                        ],
                        max_length=10,
                    ),
                ),
                ("keys", models.JSONField()),
                ("total", models.PositiveIntegerField()),
                ("done", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("refusals", models.JSONField(default=list)),
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
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at", None)),
                        fields=("batch",),
                        name="one_action_at_a_time_per_batch",
                    )
                ],
            },
        ),
    ]
