"""Times by somebody else's clock: of manifests, and of checkpoints."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provenance", "0008_cosignatures")]

    operations = [
        migrations.AddField(
            "asset",
            "is_timestamped",
            models.BooleanField(
                default=False,
                help_text="whether the manifest's signature carries a trusted time",
            ),
        ),
        migrations.CreateModel(
            "Timestamp",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tree_size", models.BigIntegerField(unique=True)),
                ("note", models.TextField()),
                ("token", models.BinaryField(blank=True, help_text="CMS, DER; empty while there is none")),
                ("dated_at", models.DateTimeField(blank=True, help_text="what the token says", null=True)),
                ("authority", models.CharField(blank=True, max_length=400)),
                ("first_asked_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("dated_at__isnull", True), ("token", b"")),
                            models.Q(models.Q(("token", b""), _negated=True), ("dated_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="timestamp_dated_with_token",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("token", b"")), fields=("token",), name="one_timestamp_is_open"
                    ),
                ]
            },
        ),
    ]
