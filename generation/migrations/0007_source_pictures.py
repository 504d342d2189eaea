"""Pictures that requests start from."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import generation.models


class Migration(migrations.Migration):
    dependencies = [("generation", "0006_restricted_images")]

    operations = [
        migrations.AddField(
            model_name="generatedimage",
            name="source",
            field=models.JSONField(
                default=dict,
                help_text="{strength, sha256, image}: what it was made from; else empty.",
            ),
        ),
        migrations.CreateModel(
            name="SourcePicture",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "strength",
                    models.FloatField(help_text="Share of the steps that are taken, 0.05 to 1."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unscreened", "Unscreened"),
                            ("held", "Held"),
                            ("passed", "Passed"),
                            ("refused", "Refused"),
                        ],
                        default="unscreened",
                        max_length=16,
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True, help_text="Why it is held or refused.", max_length=64
                    ),
                ),
                (
                    "file",
                    models.FileField(
                        blank=True,
                        max_length=200,
                        storage=generation.models.private_storage,
                        upload_to="",
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="+",
                        to="generation.generatedimage",
                    ),
                ),
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="source",
                        to="generation.generationrequest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["unscreened", "held", "passed", "refused"])
                        ),
                        name="generation_source_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("strength__range", (0.05, 1.0))),
                        name="generation_source_strength_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("image__isnull", True),
                            models.Q(("file", ""), ("state", "passed")),
                            _connector="OR",
                        ),
                        name="generation_source_image_passed_already",
                    ),
                ]
            },
        ),
    ]
