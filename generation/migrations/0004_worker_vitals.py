from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0003_fair_shares_and_predictions")]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="vitals",
            field=models.JSONField(default=dict, help_text="What its engines hold and have done."),
        ),
    ]
