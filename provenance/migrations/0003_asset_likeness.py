"""What a crop or a screenshot is compared with: size, thumbnail and searchable fingerprint."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


def fill_bands(apps, schema_editor):
    asset_model = apps.get_model("provenance", "Asset")
    for asset in asset_model.objects.only("fingerprint").iterator():
        value = bytes(asset.fingerprint)
        asset.fingerprint_bands = [
            band << 16 | int.from_bytes(value[2 * band : 2 * band + 2]) for band in range(16)
        ]
        asset.save(update_fields=["fingerprint_bands"])


class Migration(migrations.Migration):
    dependencies = [("provenance", "0002_append_only")]

    operations = [
        migrations.AddField(
            "asset", "width", models.PositiveIntegerField(default=512), preserve_default=False
        ),
        migrations.AddField(
            "asset", "height", models.PositiveIntegerField(default=512), preserve_default=False
        ),
        migrations.AddField(
            "asset",
            "fingerprint_bands",
            django.contrib.postgres.fields.ArrayField(
                models.IntegerField(),
                default=list,
                help_text="16 bits each with their place, to search by distance",
                size=None,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "asset",
            "thumbnail",
            models.BinaryField(
                default=b"",
                help_text="small JPEG that crops and screenshots are compared with; never shown",
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill_bands, migrations.RunPython.noop),
        migrations.AddIndex(
            "asset",
            django.contrib.postgres.indexes.GinIndex(
                fields=["fingerprint_bands"], name="asset_fingerprint_bands"
            ),
        ),
    ]
