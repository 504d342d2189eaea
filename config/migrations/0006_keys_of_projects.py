import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

EACH_TO_ITS_OWNERS = (
    "UPDATE house_apikey k SET project_id = p.id FROM projects_project p"
    " WHERE p.personal_of_id = k.owner_id AND k.project_id IS NULL"
)


class Migration(migrations.Migration):
    dependencies = [
        ("house", "0005_accounts_closed_by_two"),
        ("projects", "0002_personal_projects"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="apikey", name="house_key_scopes_known"),
        migrations.AddField(
            model_name="apikey",
            name="project",
            field=models.ForeignKey(
                null=True,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="api_keys",
                to="projects.project",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="refusal_as",
            field=models.CharField(
                max_length=8,
                choices=[
                    ("error", "An error with its reason"),
                    ("card", "A picture that shows reason, address and QR code"),
                ],
                default="error",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="networks",
            field=models.JSONField(default=list, help_text="From where alone; empty: anywhere."),
        ),
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
                    ]
                ),
                name="house_key_scopes_known",
            ),
        ),
        migrations.RunSQL(EACH_TO_ITS_OWNERS, migrations.RunSQL.noop),
    ]
