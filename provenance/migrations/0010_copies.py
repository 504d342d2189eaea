"""Copies in another format, which get their timestamp after they were delivered."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provenance", "0009_timestamps")]

    operations = [
        migrations.CreateModel(
            "Copy",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mime", models.CharField(max_length=20)),
                ("data", models.BinaryField(help_text="the signed file")),
                ("draft", models.BinaryField(blank=True, help_text="what its manifest is made of anew; empty once it is timestamped")),
                ("is_timestamped", models.BooleanField(default=False)),
                ("attempts", models.PositiveIntegerField(default=0, help_text="how often the authority answered, but with no time that is trusted")),
                ("made_at", models.DateTimeField(db_index=True)),
                ("asset", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="copies", to="provenance.asset")),
            ],
            options={
                "verbose_name_plural": "copies",
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_timestamped", False)), fields=["attempts", "made_at"], name="copy_waiting"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("asset", "mime"), name="one_copy_per_format"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_timestamped", True), models.Q(("draft", b""), _negated=True), _connector="OR"
                        ),
                        name="copy_waits_with_a_draft",
                    ),
                ],
            },
        ),
    ]
