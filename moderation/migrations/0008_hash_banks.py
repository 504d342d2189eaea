"""Banks of fingerprints of known bad pictures, and what matched them."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("moderation", "0007_policy_versions")]

    operations = [
        migrations.CreateModel(
            name="HashBank",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=64, unique=True)),
                ("category", models.CharField(max_length=32)),
                ("distance", models.PositiveSmallIntegerField(validators=[django.core.validators.MaxValueValidator(64)])),
                ("enforced_percent", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("enforced_percent__lte", 100)), name="enforced_percent_is_one"),
                    models.CheckConstraint(condition=models.Q(("distance__lte", 64)), name="bank_distance_is_near"),
                ],
            },
        ),
        migrations.CreateModel(
            name="BankedHash",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.BinaryField(max_length=32)),
                ("bands", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("bucket", models.PositiveSmallIntegerField()),
                ("note", models.CharField(blank=True, max_length=200)),
                ("added_at", models.DateTimeField()),
                ("bank", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="hashes", to="moderation.hashbank")),
            ],
            options={
                "verbose_name_plural": "banked hashes",
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["bands"], name="banked_hash_bands")],
                "constraints": [
                    models.UniqueConstraint(fields=("bank", "fingerprint"), name="one_hash_per_bank"),
                    models.CheckConstraint(condition=models.Q(("bucket__lt", 100)), name="bucket_is_below_100"),
                ],
            },
        ),
        migrations.CreateModel(
            name="BankMatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("distance", models.PositiveSmallIntegerField()),
                ("is_enforced", models.BooleanField()),
                ("matched_at", models.DateTimeField()),
                ("banked", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="matches", to="moderation.bankedhash")),
                ("screening", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="bank_matches", to="moderation.screening")),
            ],
            options={"verbose_name_plural": "bank matches"},
        ),
    ]
