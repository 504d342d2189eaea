import django.db.models.deletion
from django.db import migrations, models


def _project() -> "models.ForeignKey":
    return models.ForeignKey(
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="projects.project",
    )


class Migration(migrations.Migration):
    """Screenings and reports know of which project they are; `generation` fills those of before."""

    dependencies = [("audits", "0009_rules_hold_reports"), ("projects", "0001_initial")]

    operations = [
        migrations.AddField("frameentry", "project", _project()),
        migrations.AddField("audit", "project", _project()),
    ]
