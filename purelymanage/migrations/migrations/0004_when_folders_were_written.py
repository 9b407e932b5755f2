from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations", "0003_launches")]

    operations = [
        migrations.AddField(
            model_name="runfolder",
            name="written_at",
            field=models.DateTimeField(null=True),
        ),
    ]
