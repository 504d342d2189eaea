from django.db import migrations, models

from provenance.manifests import manifest_stores


def name_all(apps, schema_editor):
    names = apps.get_model("provenance", "ManifestName").objects
    assets = apps.get_model("provenance", "Asset").objects
    for asset_id, store in assets.values_list("id", "manifest").iterator(chunk_size=50):
        if urn := manifest_stores.active_urn(bytes(store)):
            names.create(asset_id=asset_id, urn=urn[:200])


class Migration(migrations.Migration):
    dependencies = [("provenance", "0010_copies")]

    operations = [
        migrations.CreateModel(
            name="ManifestName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "urn",
                    models.CharField(help_text="as it stands in the store", max_length=200),
                ),
                (
                    "asset",
                    models.OneToOneField(
                        on_delete=models.deletion.CASCADE,
                        related_name="manifest_name",
                        to="provenance.asset",
                    ),
                ),
            ],
        ),
        migrations.RunPython(name_all, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="manifestname",
            constraint=models.UniqueConstraint(fields=["urn"], name="manifest_named_once"),
        ),
    ]
