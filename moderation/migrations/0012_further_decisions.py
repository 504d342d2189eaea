"""Decisions beside allow and refuse, what follows from them, and suspended accounts."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ACTIONS = [
    ("allow", "Allow"),
    ("refuse", "Refuse"),
    ("blur", "Blur"),
    ("age_restrict", "Adults only"),
    ("withdraw_adapter", "Withdraw the adapter"),
    ("warn", "Refuse and warn"),
    ("suspend", "Refuse and suspend"),
]


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0011_blind_cases"),
    ]

    operations = [
        migrations.AlterField(
            model_name="decision",
            name="action",
            field=models.CharField(choices=ACTIONS, max_length=16),
        ),
        migrations.AddField(
            model_name="decision",
            name="days",
            field=models.PositiveSmallIntegerField(help_text="How long a suspension lasts.", null=True),
        ),
        migrations.AddField(
            model_name="decision",
            name="follows",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="consequences", to="moderation.decision"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(condition=models.Q(models.Q(("action", "suspend"), _negated=True), models.Q(("days__gt", 0), ("days__isnull", False), ("is_severe", True)), _connector="OR"), name="suspension_is_severe_and_ends"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(condition=models.Q(("action", "suspend"), ("days__isnull", True), _connector="OR"), name="only_suspensions_have_days"),
        ),
        migrations.AlterField(
            model_name="intent",
            name="action",
            field=models.CharField(choices=ACTIONS, max_length=16),
        ),
        migrations.AddField(
            model_name="intent",
            name="batch",
            field=models.UUIDField(db_index=True, help_text="Of several decided at once.", null=True),
        ),
        migrations.AddField(
            model_name="intent",
            name="days",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="intent",
            name="adapter",
            field=models.CharField(blank=True, help_text="Slug of the one to withdraw.", max_length=64),
        ),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.CheckConstraint(condition=models.Q(models.Q(("action", "suspend"), _negated=True), models.Q(("days__gt", 0), ("days__isnull", False), ("is_severe", True)), _connector="OR"), name="intended_suspension_is_severe_and_ends"),
        ),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                ("decision", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, to="moderation.decision")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="suspensions", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "indexes": [models.Index(condition=models.Q(("lifted_at__isnull", True)), fields=["user", "-ends_at"], name="suspension_person")],
                "constraints": [models.CheckConstraint(condition=models.Q(("ends_at__gt", models.F("began_at"))), name="suspension_ends_after_it_began")],
            },
        ),
    ]
