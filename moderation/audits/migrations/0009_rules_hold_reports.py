"""The triggers of labels and reports give way to the one that every table of evidence has."""

import importlib

from django.db import migrations

first = importlib.import_module("moderation.audits.migrations.0002_labels_and_reports_never_change")
later = importlib.import_module("moderation.audits.migrations.0007_decisions_on_reports")


class Migration(migrations.Migration):
    dependencies = [("audits", "0008_periods_of_audits")]

    operations = [
        migrations.RunSQL(later.BACKWARD, later.FORWARD),
        migrations.RunSQL(first.BACKWARD, first.FORWARD),
    ]
