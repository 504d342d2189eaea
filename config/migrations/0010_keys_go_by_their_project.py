"""A key may leave it to its project how refusals are told."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("house", "0009_keys_that_manage"), ("projects", "0005_project_refusal_as")]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="refusal_as",
            field=models.CharField(
                max_length=8,
                blank=True,
                choices=[
                    ("error", "An error with its reason"),
                    ("card", "A picture that shows reason, address and QR code"),
                ],
                help_text="Empty: as the project says.",
            ),
        ),
    ]
