"""Example pictures that are shown blurred, or to adults only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("adapters", "0003_examples_on_the_way_to_the_public")]

    operations = [
        migrations.AddField(
            model_name="adapterexample",
            name="is_blurred",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="adapterexample",
            name="is_for_adults",
            field=models.BooleanField(default=False),
        ),
    ]
