"""The ring of the fair queue is called what it is; its table keeps its name."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("generation", "0014_none_without_project")]

    operations = [
        migrations.AlterModelTable(name="rota", table="generation_rota"),
        migrations.RenameModel(old_name="Rota", new_name="FairQueueRing"),
    ]
