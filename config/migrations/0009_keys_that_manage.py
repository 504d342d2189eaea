from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("house", "0008_roles_by_provider")]

    operations = [
        migrations.RemoveConstraint(model_name="apikey", name="house_key_scopes_known"),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=Q(
                    scopes__contained_by=[
                        "read",
                        "generate",
                        "verify",
                        "review",
                        "export",
                        "operate",
                        "moderate",
                        "appeals.act",
                        "webhooks",
                        "manage",
                    ]
                ),
                name="house_key_scopes_known",
            ),
        ),
    ]
