from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Note what was added for people: for these nobody has agreed.

    Of the others nobody can tell any more by which link they came. The link for
    everybody is what least is believed of.
    """
    kept = apps.get_model("migrations", "Submission").objects.filter(agreed_at=None)
    kept.exclude(came_by="added").update(came_by="added")


class Migration(migrations.Migration):
    dependencies = [("migrations", "0001_schema")]

    # Programs from before go on writing rows meanwhile: the database fills these in.
    operations = [
        migrations.AddField(
            model_name="submission",
            name="came_by",
            field=models.CharField(
                choices=[
                    ("shared", "The link for everybody"),
                    ("own", "A link of their own"),
                    ("added", "Somebody on their behalf"),
                ],
                db_default="shared",
                default="shared",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="submission",
            name="client_key",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64
            ),
        ),
        migrations.CreateModel(
            name="PastLink",
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
                ("token_hash", models.CharField(max_length=64, unique=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="past_links",
                        to="migrations.campaign",
                    ),
                ),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
