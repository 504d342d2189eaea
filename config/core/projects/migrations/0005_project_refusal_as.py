"""A project says how refusals are told to keys that say nothing of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0004_one_index_less")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="refusal_as",
            field=models.CharField(
                max_length=8,
                choices=[
                    ("error", "An error with its reason"),
                    ("card", "A picture that shows reason, address and QR code"),
                ],
                default="error",
                db_default="error",
                help_text="What clients get that speak to a key which says nothing of its own.",
            ),
        ),
    ]
