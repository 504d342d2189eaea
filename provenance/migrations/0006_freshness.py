"""A timed cosignature, so that an idle log can be told from one that stands still."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provenance", "0005_asset_image_code")]

    operations = [
        migrations.CreateModel(
            "Freshness",
            [
                ("tree_size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("line", models.TextField(help_text="signature line (C2SP tlog-cosignature)")),
                ("at", models.DateTimeField()),
            ],
            options={"verbose_name_plural": "freshness"},
        )
    ]
