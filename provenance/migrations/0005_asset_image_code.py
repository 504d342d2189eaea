"""The ISCC Image-Code beside PDQ, and whether the making was observed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provenance", "0004_bulk_append")]

    operations = [
        migrations.AddField(
            "asset",
            "image_code",
            models.CharField(
                blank=True,
                db_index=True,
                default="",
                help_text="ISCC Image-Code, 256 bits",
                max_length=80,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "asset",
            "is_observed",
            models.BooleanField(
                default=True, help_text="false for a picture of an archive that was marked late"
            ),
        ),
    ]
