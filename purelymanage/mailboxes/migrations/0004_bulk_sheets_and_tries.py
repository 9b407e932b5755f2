from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0003_who_wants_app_passwords_revoked")]

    operations = [
        migrations.AddField(
            model_name="bulk",
            name="sheet",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="bulkrow",
            name="faults",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="bulkrow",
            name="started_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="bulkrow",
            name="tries",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="bulkrow",
            name="verdict",
            field=models.CharField(
                blank=True,
                choices=[
                    ("new", "New"),
                    ("changed", "Changed"),
                    ("same", "Same"),
                    ("error", "Error"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrow",
            index=models.Index(fields=["bulk", "state"], name="bulk_row_state"),
        ),
    ]
