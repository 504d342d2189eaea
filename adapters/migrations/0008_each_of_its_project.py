from django.db import migrations

from config.core.projects import columns


class Migration(migrations.Migration):
    """Rows of before belong to their owner's own project."""

    atomic = False

    dependencies = [("adapters", "0007_of_projects")]

    operations = [
        columns.of_owners("adapters_adapter"),
    ]
