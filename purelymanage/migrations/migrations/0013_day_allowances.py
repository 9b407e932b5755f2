from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations", "0012_password_tables")]

    operations = [
        migrations.AddField(
            model_name="server",
            name="bytes_a_day_each",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="serverday",
            name="user",
            field=models.CharField(blank=True, default="", max_length=254),
            preserve_default=False,
        ),
        migrations.RemoveConstraint(
            model_name="serverday", name="one_row_per_day_of_a_server"
        ),
        migrations.AddConstraint(
            model_name="serverday",
            constraint=models.UniqueConstraint(
                fields=("server", "user", "day"), name="one_row_per_day_of_a_server"
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="reserved",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="attempt",
            name="reserved_on",
            field=models.DateField(blank=True, null=True),
        ),
    ]
