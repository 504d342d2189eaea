"""Cases that are answered blind, and those that were drawn for a label alone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0010_content_notices"),
    ]

    operations = [
        migrations.AddField(
            model_name="reviewcase",
            name="is_blind",
            field=models.BooleanField(db_default=False, default=False, help_text="Answered before verdict, score and category are shown: the answer is a label."),
        ),
        migrations.AddField(
            model_name="reviewcase",
            name="is_sampled",
            field=models.BooleanField(db_default=False, default=False, help_text="Opened for a label alone: nobody waits for it, and it decides nothing."),
        ),
        migrations.AddField(
            model_name="reviewcase",
            name="not_for",
            field=models.ForeignKey(help_text="Who labelled the subject before.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="intent",
            name="perceived",
            field=models.CharField(blank=True, choices=[("feminine", "Feminine"), ("masculine", "Masculine"), ("other", "Neither, or several people"), ("unclear", "Unclear"), ("nobody", "Nobody is shown")], db_default="", default="", max_length=16),
        ),
        migrations.RemoveConstraint(model_name="reviewcase", name="one_undecided_case_per_subject"),
        migrations.AddConstraint(
            model_name="reviewcase",
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(("status", "decided"), _negated=True), ("is_sampled", False)), fields=("subject_kind", "subject_id"), name="one_undecided_case_per_subject"),
        ),
        migrations.AddConstraint(
            model_name="reviewcase",
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(("status", "decided"), _negated=True), ("is_sampled", True)), fields=("subject_kind", "subject_id"), name="one_label_at_a_time"),
        ),
        migrations.AddConstraint(
            model_name="reviewcase",
            constraint=models.CheckConstraint(condition=models.Q(("is_sampled", False), ("is_blind", True), _connector="OR"), name="sampled_case_is_blind"),
        ),
        migrations.RemoveIndex(model_name="reviewcase", name="waiting_case_counts"),
        migrations.AddIndex(
            model_name="reviewcase",
            index=models.Index(condition=models.Q(("status__in", ["open", "leased"])), fields=["subject_kind", "category", "severity", "due_at"], include=("is_blind", "not_for"), name="waiting_case_counts"),
        ),
    ]
