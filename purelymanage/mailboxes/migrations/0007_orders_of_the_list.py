from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0006_follow_ups")]

    operations = [
        migrations.AddIndex(
            model_name="creation",
            index=models.Index(
                condition=models.Q(("state", "done")),
                fields=["address"],
                name="creation_done",
            ),
        ),
        migrations.AddIndex(
            model_name="mailbox",
            index=models.Index(fields=["domain", "address"], name="mailbox_by_domain"),
        ),
        migrations.AddIndex(
            model_name="mailbox",
            index=models.Index(
                fields=["first_seen_at", "address"], name="mailbox_by_age"
            ),
        ),
    ]
