"""Decisions wait for an undo window; a severe one for a second person, which the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE OR REPLACE FUNCTION moderation_decision_never_changes() RETURNS trigger AS $$
DECLARE people text[] := ARRAY['owner_id', 'decided_by_id', 'confirmed_by_id'];
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - people = to_jsonb(OLD) - people
        AND (NEW.owner_id IS NULL OR NEW.owner_id = OLD.owner_id)
        AND (NEW.decided_by_id IS NULL OR NEW.decided_by_id = OLD.decided_by_id)
        AND (NEW.confirmed_by_id IS NULL OR NEW.confirmed_by_id = OLD.confirmed_by_id)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a decision is never changed' USING ERRCODE = 'restrict_violation';
END
$$ LANGUAGE plpgsql;
"""


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0003_due_times_reveals_withdrawals"),
    ]

    operations = [
        migrations.AlterField(
            model_name="reviewcase",
            name="status",
            field=models.CharField(choices=[("open", "Open"), ("leased", "Leased"), ("proposed", "Proposed"), ("decided", "Decided")], default="open", max_length=8),
        ),
        migrations.AddField(model_name="decision", name="is_severe", field=models.BooleanField(default=False)),
        migrations.AddField(model_name="decision", name="is_confirmed", field=models.BooleanField(default=False)),
        migrations.AddField(
            model_name="decision",
            name="confirmed_by",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(condition=models.Q(("confirmed_by", models.F("decided_by")), _negated=True), name="confirmer_is_not_decider"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(condition=models.Q(("is_severe", False), ("is_automated", True), ("reverses__isnull", False), ("is_confirmed", True), _connector="OR"), name="severe_decision_is_confirmed"),
        ),
        migrations.CreateModel(
            name="Intent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("action", models.CharField(choices=[("allow", "Allow"), ("refuse", "Refuse")], max_length=8)),
                ("reason", models.CharField(max_length=32)),
                ("explanation", models.TextField(blank=True)),
                ("is_severe", models.BooleanField()),
                ("decided_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(db_index=True)),
                ("case", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to="moderation.reviewcase")),
                ("confirmed_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("decided_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("confirmed_by", models.F("decided_by")), _negated=True), name="intent_confirmer_is_not_decider")],
            },
        ),
    ]
