"""Intents are pending decisions, content notices are reports. The tables keep their names: nothing
in the database is copied, and processes of the version before go on.
"""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

RENAMED = (("intent", "pendingdecision", "pending decision"), ("contentnotice", "report", "report"))


def rename_permissions(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Whoever may see them goes on seeing them."""
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="moderation"
    )
    for before, after, said in RENAMED:
        for verb in ("add", "change", "delete", "view"):
            permissions.filter(codename=f"{verb}_{before}").update(
                codename=f"{verb}_{after}", name=f"Can {verb} {said}"
            )


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("moderation", "0022_exports_of_projects"),
    ]
    operations = [
        migrations.AlterModelTable("Intent", "moderation_intent"),
        migrations.AlterModelTable("ContentNotice", "moderation_contentnotice"),
        migrations.RenameModel("Intent", "PendingDecision"),
        migrations.RenameModel("ContentNotice", "Report"),
        migrations.AlterField(
            "Appeal",
            "notice",
            models.OneToOneField(
                "moderation.Report",
                db_column="notice_id",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="appeal",
            ),
        ),
        migrations.RenameField("Appeal", "notice", "report"),
        migrations.AlterField(
            "PendingDecision",
            "case",
            models.OneToOneField(
                "moderation.ReviewCase",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="pending_decision",
            ),
        ),
        migrations.AlterField(
            "Report",
            "case",
            models.ForeignKey(
                "moderation.ReviewCase",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reports",
            ),
        ),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]
