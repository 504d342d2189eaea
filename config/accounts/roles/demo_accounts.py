"""The demo accounts of a local start: one person for every role."""

import json
import os
import secrets
from pathlib import Path

from django.contrib.auth.models import Group, User

from config.accounts.roles.role_permissions import ROLES


def demo_accounts(folder: Path) -> dict[str, str]:
    """Each account with its password, made once and kept beside the keys (mode 0600)."""
    path = folder / "demo_passwords.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    for name, groups in ROLES.items():
        user, is_new = User.objects.get_or_create(
            username=name,
            defaults={"email": f"{name}@example.org", "is_staff": "operators" in groups},
        )
        if is_new:  # later on two people change roles, and a start undoes nothing of theirs
            user.groups.set(Group.objects.filter(name__in=groups))
        if is_new or name not in known:
            known[name] = secrets.token_urlsafe(9)
            user.set_password(known[name])
            user.save(update_fields=["password"])
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(known, file)
    return known
