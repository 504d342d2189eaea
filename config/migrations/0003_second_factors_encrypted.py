"""Secrets of authenticator apps and recovery codes stood in clear: encrypt what is there."""

from allauth.mfa.adapter import get_adapter
from django.db import migrations

NAMES = {"totp": "secret", "recovery_codes": "seed"}


def encrypt(apps, schema_editor):
    adapter = get_adapter()
    for row in apps.get_model("mfa", "Authenticator").objects.filter(type__in=NAMES):
        name = NAMES[row.type]
        if name in row.data:
            row.data[name] = adapter.encrypt(adapter.decrypt(row.data[name]))
            row.save(update_fields=["data"])


class Migration(migrations.Migration):

    dependencies = [
        ("house", "0002_tokens_become_keys"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(encrypt, migrations.RunPython.noop)]
