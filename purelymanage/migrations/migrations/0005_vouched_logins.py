from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations", "0004_when_folders_were_written")]

    operations = [
        migrations.AddField(
            model_name="submission",
            name="vouched_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
