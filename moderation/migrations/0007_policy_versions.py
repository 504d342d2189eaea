"""Policy versions that are made here: draft, proposed, active, retired, with their people."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def one_active_each(apps, schema_editor):
    """Of versions kept before, the one used latest is the active one of its profile."""
    Policy = apps.get_model("moderation", "Policy")
    seen = set()
    for row in Policy.objects.order_by("-first_used_at", "-id"):
        if row.profile in seen:
            Policy.objects.filter(pk=row.pk).update(status="retired")
        seen.add(row.profile)


def person():
    return models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0006_wellbeing"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="policy",
            options={"permissions": [("export_reports", "Can export compliance reports"), ("govern_policies", "Can draft, propose and activate policies")], "verbose_name_plural": "policies"},
        ),
        migrations.AddField(model_name="policy", name="status", field=models.CharField(choices=[("draft", "Draft"), ("proposed", "Proposed"), ("active", "In force"), ("retired", "Retired")], default="active", max_length=8)),
        migrations.AddField(model_name="policy", name="is_shipped", field=models.BooleanField(default=True)),
        migrations.AlterField(model_name="policy", name="first_used_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="policy", name="based_on", field=models.CharField(blank=True, default="", max_length=64), preserve_default=False),
        migrations.AddField(model_name="policy", name="changes", field=models.JSONField(null=True)),
        migrations.AddField(model_name="policy", name="rationale", field=models.TextField(blank=True, default=""), preserve_default=False),
        migrations.AddField(model_name="policy", name="attachment", field=models.JSONField(null=True)),
        migrations.AddField(model_name="policy", name="drafted_by", field=person()),
        migrations.AddField(model_name="policy", name="drafted_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="policy", name="proposed_by", field=person()),
        migrations.AddField(model_name="policy", name="proposed_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="policy", name="activated_by", field=person()),
        migrations.AddField(model_name="policy", name="activated_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="policy", name="retired_at", field=models.DateTimeField(null=True)),
        migrations.RunPython(one_active_each, migrations.RunPython.noop),
        migrations.AddConstraint(model_name="policy", constraint=models.UniqueConstraint(condition=models.Q(("status", "active")), fields=("profile",), name="one_active_policy")),
        migrations.AddConstraint(model_name="policy", constraint=models.CheckConstraint(condition=models.Q(("activated_by", models.F("drafted_by")), _negated=True), name="activator_did_not_draft")),
        migrations.AddConstraint(model_name="policy", constraint=models.CheckConstraint(condition=models.Q(("activated_by", models.F("proposed_by")), _negated=True), name="activator_did_not_propose")),
    ]
