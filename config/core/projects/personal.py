"""A person's own project, made when it is first needed."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from config.core.projects.models import Membership, Project


def project_of(user: AbstractBaseUser) -> Project:
    """The person's own project; two that ask at once get the same."""
    return project_of_id(user.pk, name=user.get_username())


def project_of_id(user_id: int, *, name: str = "") -> Project:
    """The same, for who knows no more than the account's id."""
    if found := Project.objects.filter(personal_of_id=user_id).first():
        return found
    now = timezone.now()
    with transaction.atomic():
        made, _ = Project.objects.get_or_create(
            personal_of_id=user_id, defaults={"name": name or "Personal", "created_at": now}
        )
        Membership.objects.get_or_create(
            project=made,
            user_id=user_id,
            defaults={"role": Membership.MemberRole.OWNER, "since": now},
        )
    return made


def id_of(owner_id: int | None) -> UUID | None:
    """Of an account's own project, for rows about whose project nothing else is known."""
    return None if owner_id is None else project_of_id(owner_id).pk
