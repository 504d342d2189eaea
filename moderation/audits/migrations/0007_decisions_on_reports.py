"""A report's files as they were frozen, and what was decided on it: rows that never change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE TRIGGER audits_auditdecision_never_changes BEFORE UPDATE OR DELETE ON audits_auditdecision
    FOR EACH ROW EXECUTE FUNCTION audits_row_never_changes('recorded_by_id');
CREATE TRIGGER audits_auditfile_never_changes BEFORE UPDATE OR DELETE ON audits_auditfile
    FOR EACH ROW EXECUTE FUNCTION audits_row_never_changes('');
"""
BACKWARD = """
DROP TRIGGER audits_auditdecision_never_changes ON audits_auditdecision;
DROP TRIGGER audits_auditfile_never_changes ON audits_auditfile;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audits", "0006_runs_on_pages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("responsible", models.CharField(max_length=120)),
                ("decision", models.TextField()),
                ("report_sha256", models.CharField(help_text="Of the report.json decided on.", max_length=64)),
                ("sha256", models.CharField(help_text="Of what it says; stands in the log.", max_length=64)),
                ("recorded_at", models.DateTimeField()),
                ("audit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="audits.audit")),
                ("recorded_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name="AuditFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("data", models.BinaryField()),
                ("audit", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="files", to="audits.audit")),
            ],
        ),
        migrations.AddConstraint(
            model_name="auditfile",
            constraint=models.UniqueConstraint(fields=("audit", "name"), name="audits_one_file_a_name"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
