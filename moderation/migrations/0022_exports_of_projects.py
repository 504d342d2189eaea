import django.db.models.deletion
from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models

import config.core.storage


class Migration(migrations.Migration):
    """A project takes out its own; each export of before gets a public id of its own from the
    database, for no row of evidence is updated."""

    dependencies = [("moderation", "0021_overlays"), ("projects", "0001_initial")]

    operations = [
        migrations.AddField(
            "export",
            "public_id",
            models.UUIDField(db_default=RandomUUID(), editable=False, unique=True),
        ),
        migrations.AddField(
            "export",
            "project",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="projects.project",
            ),
        ),
        migrations.AddField(
            "export",
            "file",
            models.FileField(
                blank=True,
                max_length=200,
                storage=config.core.storage.private_storage,
                upload_to="",
            ),
        ),
        migrations.AddField("export", "ready_at", models.DateTimeField(null=True)),
        migrations.AlterField("export", "sha256", models.CharField(blank=True, max_length=64)),
        migrations.AlterField("export", "size_bytes", models.PositiveBigIntegerField(default=0)),
    ]
