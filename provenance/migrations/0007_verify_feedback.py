"""What people say about verdicts, without anything about them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provenance", "0006_freshness")]

    operations = [
        migrations.CreateModel(
            "VerifyFeedback",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_right", models.BooleanField()),
                ("said_ours", models.BooleanField(help_text="whether the verdict was that the picture is ours")),
                ("comment", models.TextField(blank=True)),
                ("on", models.DateField()),
            ],
            options={"verbose_name_plural": "verify feedback"},
        )
    ]
