"""Several images a request: how many were asked for, made and failed."""

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q


def count_what_was_made(apps: Any, editor: Any) -> None:
    """Until now a finished request had made one image, unless it was of the live page."""
    requests = apps.get_model("generation", "GenerationRequest").objects
    requests.filter(status="finished", is_live=False).update(made=1)


class Migration(migrations.Migration):
    dependencies = [("generation", "0007_source_pictures")]

    operations = [
        migrations.AddField(
            model_name="generationrequest",
            name="count",
            field=models.PositiveSmallIntegerField(default=1, help_text="How many images."),
        ),
        migrations.AddField(
            model_name="generationrequest",
            name="made",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="How many of them were made."
            ),
        ),
        migrations.AddField(
            model_name="generationrequest",
            name="failures",
            field=models.JSONField(default=list, help_text="[{index, code}] of those that failed."),
        ),
        migrations.AlterField(
            model_name="generationrequest",
            name="seed",
            field=models.BigIntegerField(
                help_text="Of the first image; each further one counts it up."
            ),
        ),
        migrations.AddConstraint(
            model_name="generationrequest",
            constraint=models.CheckConstraint(
                condition=Q(("count__range", (1, 4)), ("made__lte", F("count"))),
                name="generation_request_makes_no_more_than_asked",
            ),
        ),
        migrations.RunPython(count_what_was_made, migrations.RunPython.noop),
    ]
