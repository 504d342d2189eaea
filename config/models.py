"""What the house keeps of accounts beside Django's own tables."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models import F, Q

from config.core.ownership import OwnedRows
from config.core.projects.models import Project


def _salt() -> bytes:
    return secrets.token_bytes(16)


class ApiKeyRows(OwnedRows["ApiKey"]):
    """Keys, by whom they act for."""


class ApiKey(models.Model):
    """A key that lets a program act for its owner in its project, within its scopes and until its
    end.

    The key itself is nowhere: `digest` is its SHA-256, `hint` its first characters.
    """

    class Scope(models.TextChoices):
        READ = "read", "See what is yours: requests, images, adapters, statements, appeals"
        GENERATE = "generate", "Ask for images, change and delete what is yours, appeal, report"
        VERIFY = "verify", "Verify files under a limit of your own"
        REVIEW = "review", "Work at the review desk and hear appeals"
        EXPORT = "export", "Audits and their reports"
        OPERATE = "operate", "Read the metrics"
        MODERATE = "moderate", "Have texts and pictures judged"
        APPEALS_ACT = "appeals.act", "Lodge appeals for those whom the project serves"
        WEBHOOKS = "webhooks", "Set up webhooks of the project"
        MANAGE = "manage", "Set the project, its members and the rights of those whom it serves"

    project = models.ForeignKey(Project, models.PROTECT, related_name="api_keys", editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_keys", editable=False
    )
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=16)
    scopes = models.JSONField()
    refusal_as = models.CharField(
        max_length=8,
        choices=Project.RefusalAs.choices,
        blank=True,
        help_text="Empty: as the project says.",
    )
    networks = models.JSONField(default=list, help_text="From where alone; empty: anywhere.")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiKeyRows.as_manager()

    class Meta:
        verbose_name = "API key"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    scopes__contained_by=[
                        "read", "generate", "verify", "review", "export", "operate",
                        "moderate", "appeals.act", "webhooks", "manage",
                    ]
                ),
                name="house_key_scopes_known",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def shows_cards(self) -> bool:
        """Whether refusals come as pictures, by its own word or the project's."""
        return (self.refusal_as or self.project.refusal_as) == Project.RefusalAs.CARD

    def is_still_good(self, *, at: datetime) -> bool:
        """Whether it opens anything at `at`, asked anew."""
        rows = ApiKey.objects.filter(pk=self.pk, revoked_at=None, expires_at__gt=at)
        return rows.filter(owner__is_active=True).exists()


class RoleChange(models.Model):
    """A role to be given or taken, a lost second factor to be taken off, or the account of somebody
    with a role to be closed or opened: it waits for a second person, and stays as it was decided.
    """

    class Kind(models.TextChoices):
        GIVE = "give", "give the role"
        TAKE = "take", "take the role away"
        SECOND_FACTOR = "second_factor", "take the second factor off"
        CLOSE = "close", "close the account"
        OPEN = "open", "open the account again"

    class Status(models.TextChoices):
        WAITING = "waiting", "waits for a second person"
        IN_FORCE = "in_force", "in force"
        DECLINED = "declined", "declined"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    role = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    salt = models.BinaryField(default=_salt, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    source = models.CharField(max_length=32, blank=True, default="", editable=False)
    """The identity provider that made the change; none for what people or a shell did."""

    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        permissions: ClassVar = [("change_roles", "Can ask for and confirm changes of roles")]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "kind", "role"],
                condition=Q(status="waiting"),
                name="house_role_change_asked_once",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_at=None)
                | (~Q(status="waiting") & Q(decided_at__isnull=False)),
                name="house_role_change_decided",
            ),
            models.CheckConstraint(
                condition=~Q(status="in_force")
                | (~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("account")))
                | Q(asked_by=None),
                name="house_role_change_by_two",
            ),
            models.CheckConstraint(
                condition=Q(source="") | Q(asked_by=None, decided_by=None),
                name="house_role_change_of_provider",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.role} ({self.id})"

    @property
    def is_loss(self) -> bool:
        """Whether its person is who should not be asked: nobody keeps a role by a veto."""
        return self.kind in {self.Kind.TAKE, self.Kind.CLOSE}

    def decide(self, status: str, *, by: AbstractBaseUser | None, at: datetime) -> None:
        assert self.status == self.Status.WAITING, "the domain function holds the lock and asked"
        self.status, self.decided_at = status, at
        self.decided_by_id = by.pk if by else None
        self.save(update_fields=["status", "decided_by", "decided_at"])


class NotificationsRead(models.Model):
    """Up to when somebody has read what concerns them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"until {self.until}"
