from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("adapters", "0005_live_steps")]

    operations = [
        migrations.AddField(
            model_name="adapter",
            name="content_sha256",
            field=models.CharField(blank=True, db_index=True, max_length=64),
        ),
    ]
