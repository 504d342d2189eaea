"""The trigger of decisions gives way to the one that every table of evidence has."""

import importlib

from django.db import migrations

before = importlib.import_module("moderation.migrations.0002_decision_never_changes")


class Migration(migrations.Migration):
    dependencies = [("moderation", "0015_salted_decisions")]

    operations = [migrations.RunSQL(before.BACKWARD, before.FORWARD)]
