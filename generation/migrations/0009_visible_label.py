"""A label that people can see, drawn on what a request makes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0008_several_images")]

    operations = [
        migrations.AddField(
            "generationrequest",
            "label",
            models.CharField(
                blank=True,
                default="",
                help_text="Visible label: its corner, a space, its text.",
                max_length=64,
            ),
            preserve_default=False,
        )
    ]
