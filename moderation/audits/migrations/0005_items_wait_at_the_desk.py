"""A drawn item has no queue of its own any more."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audits", "0004_labels_at_the_desk")]

    operations = [
        migrations.RemoveIndex(model_name="sampleditem", name="audits_items_to_label"),
        migrations.RemoveField(model_name="sampleditem", name="evidence"),
        migrations.RemoveField(model_name="sampleditem", name="owner"),
        migrations.RemoveField(model_name="sampleditem", name="place"),
    ]
