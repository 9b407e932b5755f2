from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrations", "0006_attempts"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="login_due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="login_tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("login__in", ["waiting", "trying"])),
                fields=["server", "login_due_at"],
                name="job_login_open",
            ),
        ),
    ]
