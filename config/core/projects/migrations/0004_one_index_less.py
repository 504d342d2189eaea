"""End users of a project are found by an index that begins with it; another of it alone costs each
new one a page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_suspensions_end")]

    operations = [
        migrations.AlterField(
            model_name="enduser",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="end_users",
                to="projects.project",
            ),
        ),
    ]
