"""Those whose suspension has run out are found by an index, however many end users there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_personal_projects")]

    operations = [
        migrations.AddIndex(
            model_name="enduser",
            index=models.Index(
                fields=["suspended_until"],
                condition=models.Q(standing="suspended"),
                name="projects_suspensions_end",
            ),
        ),
    ]
