import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """A suspension outlives its account, as the decision does that it is the effect of."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0016_rules_hold_decisions"),
    ]

    operations = [
        migrations.AlterField(
            model_name="suspension",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="suspensions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
