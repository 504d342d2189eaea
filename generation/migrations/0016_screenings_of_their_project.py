from django.db import migrations

from config.core.projects import columns


class Migration(migrations.Migration):
    """Screenings of before are of the project whose request or picture they judged."""

    atomic = False

    dependencies = [("generation", "0015_fair_queue_ring"), ("audits", "0010_of_projects")]

    operations = [
        columns.of_parents(
            "audits_frameentry", subject, "subject_id", key="screening_id", is_evidence=True
        )
        for subject in ("generation_generationrequest", "generation_generatedimage")
    ]
