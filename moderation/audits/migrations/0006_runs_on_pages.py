"""Runs that workers carry on: who asked, which stint is next, why one stopped."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audits", "0005_items_wait_at_the_desk"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="auditrun",
            name="asked_by",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name="auditrun",
            name="failures",
            field=models.PositiveSmallIntegerField(default=0, help_text="Stints cut off in a row."),
        ),
        migrations.AddField(
            model_name="auditrun",
            name="is_queued",
            field=models.BooleanField(default=False, help_text="Carried on by workers; else by the command that began it."),
        ),
        migrations.AddField(
            model_name="auditrun",
            name="leased_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="auditrun",
            name="stint",
            field=models.PositiveIntegerField(default=0, help_text="Counts up: a worker's ticket names the one that it may work."),
        ),
        migrations.AddField(
            model_name="auditrun",
            name="stop_code",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="auditrun",
            name="stop_message",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name="auditrun",
            name="status",
            field=models.CharField(choices=[("running", "Running"), ("stopped", "Stopped"), ("finished", "Finished")], default="running", max_length=8),
        ),
    ]
