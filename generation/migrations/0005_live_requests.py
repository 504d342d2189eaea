from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0004_worker_vitals")]

    operations = [
        migrations.AddField(
            model_name="generationrequest",
            name="is_live",
            field=models.BooleanField(
                default=False, help_text="Of the live page: shown once, never stored."
            ),
        ),
    ]
