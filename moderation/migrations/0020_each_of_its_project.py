from django.db import migrations

from config.core.projects import columns


class Migration(migrations.Migration):
    """Rows of before belong to their owner's own project."""

    atomic = False

    dependencies = [("moderation", "0019_of_projects")]

    operations = [
        columns.of_owners("moderation_reviewcase", is_evidence=True),
        columns.of_owners("moderation_decision", is_evidence=True),
        columns.of_parents(
            "moderation_statement", "moderation_decision", "decision_id", is_evidence=True
        ),
        columns.of_parents(
            "moderation_appeal", "moderation_decision", "decision_id", is_evidence=True
        ),
    ]
