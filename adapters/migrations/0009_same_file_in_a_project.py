from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("adapters", "0008_each_of_its_project")]

    operations = [
        migrations.RemoveConstraint(
            model_name="adapter", name="adapters_same_file_is_same_adapter"
        ),
        migrations.AddConstraint(
            model_name="adapter",
            constraint=models.UniqueConstraint(
                fields=["owner", "project", "base_model", "sha256"],
                condition=~Q(state="withdrawn"),
                nulls_distinct=False,
                name="adapters_same_file_is_same_adapter",
            ),
        ),
    ]
