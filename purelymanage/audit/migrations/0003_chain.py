from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_outgoing_mail")]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="sequence",
            field=models.BigIntegerField(null=True, editable=False),
        ),
        migrations.AddField(
            model_name="entry",
            name="actor_role",
            field=models.CharField(blank=True, default="", max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="entry",
            name="diff",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="entry",
            name="request_id",
            field=models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="entry",
            name="previous_hmac",
            field=models.CharField(null=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="entry",
            name="hmac",
            field=models.CharField(null=True, editable=False, max_length=64),
        ),
    ]
