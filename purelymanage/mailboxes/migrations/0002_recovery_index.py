from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0001_schema")]

    operations = [
        migrations.AddIndex(
            model_name="mailbox",
            index=GinIndex(
                fields=["recovery_methods"],
                name="mailbox_recovery",
                opclasses=["jsonb_path_ops"],
            ),
        ),
    ]
