from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0001_credit_readings"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClusterReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("cluster", models.CharField(max_length=100)),
                ("host", models.CharField(max_length=253)),
                ("pid", models.PositiveIntegerField()),
                ("began_at", models.DateTimeField()),
                ("heard_at", models.DateTimeField()),
                ("processes", models.PositiveIntegerField(default=0)),
                ("memory", models.PositiveBigIntegerField(default=0)),
                ("copies", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cluster", "host", "pid"), name="one_report_per_cluster"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ErrorKind",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("kind", models.CharField(max_length=200)),
                ("place", models.CharField(max_length=300)),
                ("count", models.PositiveBigIntegerField(default=1)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("task", models.CharField(blank=True, max_length=200)),
                ("host", models.CharField(blank=True, max_length=253)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "place"), name="one_row_per_kind_of_error"
                    )
                ],
            },
        ),
    ]
