"""The line is asked for its length at every submission."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("generation", "0009_visible_label")]

    operations = [
        migrations.AddIndex(
            model_name="generationrequest",
            index=models.Index(
                condition=Q(("status__in", ("submitted", "queued", "running"))),
                fields=["priority"],
                name="generation_active",
            ),
        ),
    ]
