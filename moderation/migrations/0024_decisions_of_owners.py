"""What a person is told since they looked is found without reading all that was ever decided."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("moderation", "0023_pending_decisions_and_reports")]

    operations = [
        AddIndexConcurrently(
            "Decision", models.Index(fields=["owner", "-decided_at"], name="decision_owner_newest")
        )
    ]
