"""What witnesses say about the log's checkpoints."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provenance", "0007_verify_feedback")]

    operations = [
        migrations.CreateModel(
            "Cosignature",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("witness", models.CharField(help_text="its verifier key", max_length=400, unique=True)),
                ("tree_size", models.BigIntegerField(db_index=True)),
                ("line", models.TextField(help_text="signature line (C2SP tlog-cosignature)")),
                ("at", models.DateTimeField()),
                ("problem", models.CharField(blank=True, max_length=64)),
            ],
        )
    ]
