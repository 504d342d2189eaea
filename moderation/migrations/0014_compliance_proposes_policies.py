"""A right of its own to draft and propose policies."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("moderation", "0013_notes_assignment_and_views")]

    operations = [
        migrations.AlterModelOptions(
            name="policy",
            options={"permissions": [("export_reports", "Can export compliance reports"), ("propose_policies", "Can draft and propose policies"), ("govern_policies", "Can put policies in force and keep banks")], "verbose_name_plural": "policies"},
        ),
    ]
