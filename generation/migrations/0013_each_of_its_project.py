from django.db import migrations

from config.core.projects import columns


class Migration(migrations.Migration):
    """Rows of before belong to their owner's own project."""

    atomic = False

    dependencies = [("generation", "0012_of_projects")]

    operations = [
        columns.of_owners("generation_generationrequest"),
        columns.of_parents("generation_generatedimage", "generation_generationrequest", "request_id"),
        columns.of_parents("generation_idempotencykey", "generation_generationrequest", "request_id"),
    ]
