"""Whose turn it is stands in a row a project, and until when a request is leased in a narrow table
of its own; what is looked at by time has an index by it."""

import django.db.models.deletion
from django.db import migrations, models

# Half empty, so that a renewal finds room beside the old row and touches no index.
_NARROW = """
    ALTER TABLE generation_leaseterm SET (
        fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000
    )
"""
_KEEP_LEASES = """
    INSERT INTO generation_leaseterm (request_id, token, expires_at)
    SELECT id, lease_token, lease_expires_at FROM generation_generationrequest
    WHERE status = 'running';
    SET CONSTRAINTS ALL IMMEDIATE
"""
_LET_IN = """
    INSERT INTO generation_fairshare (priority, project_id, spent_ms, due_round)
    SELECT DISTINCT priority, project_id, 0, 0 FROM generation_generationrequest
    WHERE status = 'queued';
    SET CONSTRAINTS ALL IMMEDIATE
"""
_LEASED = models.Q(status="running", lease_token__isnull=False) | ~models.Q(
    status="running"
) & models.Q(lease_token__isnull=True)


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0002_personal_projects"),
        ("generation", "0016_screenings_of_their_project"),
    ]

    operations = [
        migrations.CreateModel(
            name="LeaseTerm",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="lease_term",
                        serialize=False,
                        to="generation.generationrequest",
                    ),
                ),
                ("token", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(_NARROW, migrations.RunSQL.noop),
        migrations.RunSQL(_KEEP_LEASES, migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name="generationrequest", name="generation_request_leased_while_running"
        ),
        migrations.RemoveIndex(model_name="generationrequest", name="generation_leases"),
        migrations.RemoveField(model_name="generationrequest", name="lease_expires_at"),
        migrations.AddConstraint(
            model_name="generationrequest",
            constraint=models.CheckConstraint(
                condition=_LEASED, name="generation_request_leased_while_running"
            ),
        ),
        migrations.RemoveField(model_name="fairqueuering", name="accounts"),
        migrations.RemoveField(model_name="fairqueuering", name="turn"),
        migrations.AddField(
            model_name="fairqueuering", name="round", field=models.BigIntegerField(default=0)
        ),
        migrations.CreateModel(
            name="FairShare",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("priority", models.SmallIntegerField()),
                (
                    "spent_ms",
                    models.BigIntegerField(
                        help_text="Of what its rounds since the first paid in."
                    ),
                ),
                (
                    "due_round",
                    models.BigIntegerField(help_text="In which its next request is paid."),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["priority", "due_round", "id"], name="generation_turns")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("priority", "project"), name="generation_one_share_a_project"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="generationrequest",
            index=models.Index(
                models.OrderBy(models.F("priority"), descending=True),
                models.F("project"),
                models.F("queued_at"),
                models.F("id"),
                condition=models.Q(status="queued"),
                name="generation_line",
            ),
        ),
        migrations.AddIndex(
            model_name="generationrequest",
            index=models.Index(fields=["-created_at", "-id"], name="generation_request_by_age"),
        ),
        migrations.AddIndex(
            model_name="generationrequest",
            index=models.Index(
                condition=models.Q(started_at__isnull=False),
                fields=["started_at"],
                name="generation_started",
            ),
        ),
        migrations.AddIndex(
            model_name="generationrequest",
            index=models.Index(
                condition=models.Q(is_live=True),
                fields=["ended_at"],
                name="generation_live_ended",
            ),
        ),
        migrations.AddIndex(
            model_name="generatedimage",
            index=models.Index(fields=["-created_at", "-id"], name="generation_image_by_age"),
        ),
        migrations.AddIndex(
            model_name="idempotencykey",
            index=models.Index(fields=["created_at"], name="generation_key_by_age"),
        ),
        migrations.CreateModel(
            name="Occurrence",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(_LET_IN, migrations.RunSQL.noop),
    ]
