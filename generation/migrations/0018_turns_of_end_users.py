"""Requests of one project that wait are served by whom they are for, in turns."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("adapters", "0009_same_file_in_a_project"),
        ("generation", "0017_shares_and_lease_terms"),
        ("projects", "0002_personal_projects"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="generationrequest",
            name="generation_line",
        ),
        migrations.AddField(
            model_name="generationrequest",
            name="turn_ms",
            field=models.BigIntegerField(
                default=0, help_text="Place among its project's: see turn()."
            ),
        ),
        migrations.AddIndex(
            model_name="generationrequest",
            index=models.Index(
                models.OrderBy(models.F("priority"), descending=True),
                models.F("project"),
                models.F("turn_ms"),
                models.F("queued_at"),
                models.F("id"),
                condition=models.Q(("status", "queued")),
                name="generation_line",
            ),
        ),
        migrations.AddIndex(
            model_name="generationrequest",
            index=models.Index(
                condition=models.Q(("status", "queued")),
                fields=["project", "end_user", "owner", "priority", "turn_ms"],
                name="generation_line_of_one",
            ),
        ),
    ]
