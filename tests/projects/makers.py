"""Projects that tests start from."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from config.accounts.api_keys import key_format
from config.core.projects.models import Membership, Project
from config.models import ApiKey
from tests.factories import NOON


def make_project(owner: User, name: str = "Team", **said: object) -> Project:
    """A project that somebody owns."""
    made = Project.objects.create(**{"name": name, "created_at": NOON} | said)
    join(made, owner, "owner")
    return made


def join(project: Project, user: User, role: str) -> None:
    Membership.objects.create(project=project, user=user, role=role, since=NOON)


def project_key(project: Project, owner: User, *scopes: str, **said: object) -> str:
    """A key of that project."""
    key, now = key_format.new_key(), timezone.now()
    named = {
        "owner": owner,
        "project": project,
        "name": "backend",
        "digest": key_format.digest_of(key),
        "hint": key_format.hint_of(key),
        "scopes": sorted(scopes or ApiKey.Scope.values),
        "made_at": now,
        "expires_at": now + timedelta(days=30),
    }
    ApiKey.objects.create(**named | said)
    return key
