"""Notices about public pictures, and the appeals of whoever sent them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0009_exports"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContentNotice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("receipt_key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("sender", models.CharField(blank=True, db_index=True, max_length=64)),
                ("name", models.CharField(blank=True, max_length=150)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("category", models.CharField(max_length=32)),
                ("explanation", models.TextField()),
                ("is_trusted", models.BooleanField(default=False)),
                ("is_in_good_faith", models.BooleanField()),
                ("received_at", models.DateTimeField(db_index=True)),
                ("case", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="moderation.reviewcase")),
                ("notifier", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "permissions": [("flag_with_trust", "Is a trusted flagger")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("is_in_good_faith", True)), name="notice_is_in_good_faith"),
                    models.CheckConstraint(condition=models.Q(("is_trusted", False), ("sender", ""), _connector="OR"), name="trusted_notice_has_an_account"),
                    models.UniqueConstraint(fields=("case", "notifier"), name="one_notice_a_case_and_person"),
                ],
            },
        ),
        migrations.AddField(
            model_name="appeal",
            name="notice",
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="appeal", to="moderation.contentnotice"),
        ),
    ]
