"""Breaks and strengths of blur of reviewers, reveals with their category, and an index to count."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0005_audience_choice"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="reviewcase",
            index=models.Index(condition=models.Q(("status__in", ["open", "leased"])), fields=["subject_kind", "category", "severity", "due_at"], name="waiting_case_counts"),
        ),
        migrations.AddField(
            model_name="reveal",
            name="category",
            field=models.CharField(blank=True, default="", max_length=32),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="Break",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("reviewer", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="breaks", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("ends_at__gt", models.F("began_at"))), name="break_ends_after_it_began")],
                "indexes": [models.Index(fields=["reviewer", "-began_at"], name="break_person")],
            },
        ),
        migrations.CreateModel(
            name="BlurChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category", models.CharField(max_length=32)),
                ("level", models.CharField(choices=[("light", "Light"), ("usual", "Usual"), ("strong", "Strong")], max_length=8)),
                ("reviewer", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("reviewer", "category"), name="one_blur_per_category")],
            },
        ),
    ]
