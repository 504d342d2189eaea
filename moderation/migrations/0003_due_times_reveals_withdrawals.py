import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0002_decision_never_changes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reveal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_kind", models.CharField(choices=[("prompt", "Prompt"), ("image", "Image"), ("adapter", "Adapter")], max_length=8)),
                ("subject_id", models.UUIDField()),
                ("severity", models.PositiveSmallIntegerField()),
                ("revealed_at", models.DateTimeField()),
                ("revealed_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RemoveIndex(model_name="reviewcase", name="undecided_case_order"),
        migrations.AddField(
            model_name="appeal",
            name="due_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reviewcase",
            name="category",
            field=models.CharField(blank=True, default="", max_length=32),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reviewcase",
            name="due_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="appeal",
            name="status",
            field=models.CharField(choices=[("lodged", "Lodged"), ("heard", "Being heard"), ("upheld", "Decision upheld"), ("reversed", "Decision reversed"), ("withdrawn", "Withdrawn")], default="lodged", max_length=16),
        ),
        migrations.AddIndex(
            model_name="reviewcase",
            index=models.Index(condition=models.Q(("status", "decided"), _negated=True), fields=["-severity", "due_at", "id"], name="undecided_case_order"),
        ),
        migrations.AddIndex(model_name="reveal", index=models.Index(fields=["revealed_by", "-revealed_at"], name="reveal_person")),
        migrations.AddIndex(model_name="reveal", index=models.Index(fields=["subject_kind", "subject_id"], name="reveal_subject")),
    ]
