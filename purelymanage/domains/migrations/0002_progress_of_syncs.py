from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("domains", "0001_schema"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncrun",
            name="arrived",
            field=models.JSONField(null=True),
        ),
    ]
