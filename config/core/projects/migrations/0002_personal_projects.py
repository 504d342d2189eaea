"""Everybody who has an account gets a project of their own, as new accounts do at first need."""

from django.conf import settings
from django.db import migrations
from django.utils import timezone

from config.core.projects import project_secret

BATCH = 1000


def make(apps, schema_editor):
    label, name = settings.AUTH_USER_MODEL.split(".")
    User = apps.get_model(label, name)
    Project = apps.get_model("projects", "Project")
    Membership = apps.get_model("projects", "Membership")
    now = timezone.now()
    without = User.objects.filter(personal_project=None).order_by("pk")
    while batch := list(without[:BATCH]):
        made = Project.objects.bulk_create(
            Project(
                personal_of=user,
                name=user.username,
                secret=project_secret.new(),
                created_at=now,
            )
            for user in batch
        )
        Membership.objects.bulk_create(
            Membership(project=project, user_id=project.personal_of_id, role="owner", since=now)
            for project in made
        )


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop, elidable=False)]
