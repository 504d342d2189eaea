import django.db.models.deletion
from django.db import migrations, models


def needed():
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="projects.project"
    )


class Migration(migrations.Migration):
    dependencies = [("generation", "0013_each_of_its_project")]

    operations = [
        migrations.AlterField(model_name=name, name="project", field=needed())
        for name in ("generationrequest", "generatedimage", "idempotencykey")
    ]
