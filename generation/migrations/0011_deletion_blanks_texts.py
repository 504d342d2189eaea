from django.db import migrations, models


def blank(apps, schema_editor):
    """What was deleted before deletion blanked texts."""
    requests = apps.get_model("generation", "GenerationRequest").objects
    gone = requests.filter(deleted_at__isnull=False)
    gone.update(prompt="", negative_prompt="", label="")
    apps.get_model("generation", "IdempotencyKey").objects.filter(
        request__deleted_at__isnull=False
    ).update(body_sha256="")
    images = apps.get_model("generation", "GeneratedImage").objects
    images.filter(deleted_at__isnull=False).update(
        prompt="", negative_prompt="", source={}, notes=[]
    )


class Migration(migrations.Migration):
    dependencies = [("generation", "0010_active_requests")]

    operations = [
        migrations.AlterField(
            model_name="idempotencykey",
            name="body_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.RunPython(blank, migrations.RunPython.noop),
    ]
