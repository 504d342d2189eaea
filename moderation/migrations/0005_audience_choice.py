import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0004_intents_and_second_person"),
    ]

    operations = [
        migrations.CreateModel(
            name="AudienceChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("profile", models.CharField(max_length=32)),
                ("chosen_at", models.DateTimeField()),
                ("attested_at", models.DateTimeField(null=True)),
                ("user", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(models.Q(("profile", "adult"), _negated=True), ("attested_at__isnull", False), _connector="OR"), name="adult_audience_is_attested")],
            },
        ),
    ]
