"""The labelled part of a period is found without reading the whole frame."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("audits", "0002_labels_and_reports_never_change")]

    operations = [
        migrations.AddIndex(
            model_name="frameentry",
            index=models.Index(
                fields=["stage", "screened_at"],
                condition=Q(is_sampled=True),
                name="audits_frame_sampled",
            ),
        )
    ]
