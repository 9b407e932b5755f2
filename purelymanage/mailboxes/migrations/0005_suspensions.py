from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0004_bulk_sheets_and_tries")]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="kind",
            field=models.CharField(
                choices=[
                    ("password", "Password"),
                    ("flags", "Flags"),
                    ("recovery_saved", "Recovery method"),
                    ("recovery_removed", "Recovery method removed"),
                    ("rename", "Name"),
                    ("suspension", "Suspension"),
                ],
                max_length=20,
            ),
        )
    ]
