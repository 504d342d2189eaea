"""What still waits for a label gets a blind case at the review desk."""

from datetime import timedelta

from django.db import migrations
from django.db.models import F

SEVERITY, HOURS = 3, 12


def open_cases(apps, schema_editor):
    items = apps.get_model("audits", "SampledItem").objects.select_related("entry")
    cases = apps.get_model("moderation", "ReviewCase").objects
    for item in items.filter(labels_given__lt=F("labels_wanted")):
        subject = {"subject_kind": item.entry.stage, "subject_id": item.entry.subject_id}
        held = cases.filter(status__in=["open", "leased"], **subject)
        if not item.labels_given and held.update(is_blind=True):
            continue
        kept = {"policy_version": item.entry.policy_version, "screening": str(item.pk)}
        first = item.entry.labels.order_by("id").first()
        cases.create(
            owner_id=item.owner_id,
            evidence=item.evidence | kept,
            category=item.entry.category,
            severity=SEVERITY,
            opened_at=item.drawn_at,
            due_at=item.drawn_at + timedelta(hours=HOURS),
            is_blind=True,
            is_sampled=True,
            not_for_id=first.reviewer_id if first else None,
            **subject,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("audits", "0003_sampled_frame_index"),
        ("moderation", "0011_blind_cases"),
    ]

    operations = [migrations.RunPython(open_cases, migrations.RunPython.noop)]
