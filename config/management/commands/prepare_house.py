"""What a first start needs and later starts keep: keys, roles, demo accounts, the starter model."""

import json
import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand

from config.roles import PURPOSES, ROLES, give_permissions
from provenance import keys


class Command(BaseCommand):
    help = "Make the signing keys, the roles, the demo accounts and register the starter model."

    def handle(self, *args: Any, **options: Any) -> None:
        keys.load_or_make(settings.PROOFSHEET_KEYS_DIR)
        give_permissions()
        call_command("register_starter", verbosity=0)
        if settings.IS_LOCAL:
            self._print_accounts(self._demo_accounts())

    def _demo_accounts(self) -> dict[str, str]:
        """Each account with its password, made once and kept beside the keys (mode 0600)."""
        path = settings.PROOFSHEET_KEYS_DIR / "demo_passwords.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        for name, groups in ROLES.items():
            user, is_new = User.objects.get_or_create(
                username=name, defaults={"email": f"{name}@example.org"}
            )
            if is_new or name not in known:
                known[name] = secrets.token_urlsafe(9)
                user.set_password(known[name])
            user.is_staff = user.is_superuser = name == "olga"
            user.save()
            user.groups.set(Group.objects.filter(name__in=groups))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(known, file)
        return known

    def _print_accounts(self, passwords: dict[str, str]) -> None:
        for name, password in passwords.items():
            self.stdout.write(f"  {name:<6} {password:<14} {PURPOSES[name]}")
