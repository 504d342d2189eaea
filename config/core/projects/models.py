"""Organisations, their projects, who belongs to them, and the people whom they serve."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.core.projects import project_secret


class Organisation(models.Model):
    """Who answers for projects. As a `processor` it has the house act on its own instructions."""

    class DataRole(models.TextChoices):
        CONTROLLER = "controller"
        PROCESSOR = "processor"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=120)
    contact = models.EmailField(blank=True)
    role = models.CharField(max_length=16, choices=DataRole.choices, default=DataRole.CONTROLLER)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """What keys, rows and end users belong to; `personal_of` names whose own one it is.

    A limit that is null is the usual one; `allowed_models` and `allowed_adapters` are slugs, null
    for all that there are. It is closed rather than deleted: evidence names it.
    """

    class Issuer(models.TextChoices):
        HOUSE = "house", "The house"
        PROJECT = "project", "The project"

    class RefusalAs(models.TextChoices):
        ERROR = "error", "An error with its reason"
        CARD = "card", "A picture that shows reason, address and QR code"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="projects"
    )
    personal_of = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="personal_project",
    )
    name = models.CharField(max_length=120)
    secret = models.BinaryField(
        default=project_secret.new,
        editable=False,
        help_text="Sealed; ids of end users are digested with it.",
    )
    policy_profile = models.CharField(
        max_length=32, blank=True, help_text="Empty: what the person chose, else the general one."
    )
    allows_adult = models.BooleanField(default=False)

    images_a_day = models.PositiveIntegerField(null=True, blank=True)
    device_seconds_a_day = models.PositiveIntegerField(null=True, blank=True)
    device_seconds_a_month = models.PositiveIntegerField(null=True, blank=True)
    in_flight = models.PositiveIntegerField(null=True, blank=True)
    end_user_images_a_day = models.PositiveIntegerField(null=True, blank=True)
    end_user_in_flight = models.PositiveIntegerField(null=True, blank=True)
    priority_ceiling = models.CharField(
        max_length=16, blank=True, help_text="The best tier that it may ask for; empty: any."
    )
    allowed_models = models.JSONField(null=True, blank=True)
    allowed_adapters = models.JSONField(null=True, blank=True)

    retention_days = models.PositiveIntegerField(null=True, blank=True)
    notice_name = models.CharField(max_length=120, blank=True)
    notice_logo = models.CharField(max_length=200, blank=True, help_text="Its name in storage.")
    notice_address = models.CharField(max_length=300, blank=True)
    refusal_as = models.CharField(
        max_length=8,
        choices=RefusalAs.choices,
        default=RefusalAs.ERROR,
        db_default=RefusalAs.ERROR,
        help_text="What clients get that speak to a key which says nothing of its own.",
    )
    statement_issuer = models.CharField(max_length=8, choices=Issuer.choices, default=Issuer.HOUSE)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("grant_quotas", "Can grant quotas to projects")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(personal_of=None) | Q(organisation=None),
                name="projects_personal_has_no_organisation",
            ),
            models.CheckConstraint(
                condition=Q(in_flight=None) | Q(in_flight__gt=0),
                name="projects_project_lets_one_through",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_personal(self) -> bool:
        return self.personal_of_id is not None

    @property
    def has_budget(self) -> bool:
        """Whether the house granted it limits of its own: then it is not its members' accounts that
        are counted."""
        return self.images_a_day is not None or self.device_seconds_a_day is not None


class Membership(models.Model):
    """Who belongs to a project: viewers look, developers also act and make keys, owners also say
    who belongs to it and how it is set."""

    class MemberRole(models.TextChoices):
        OWNER = "owner", "Owner"
        DEVELOPER = "developer", "Developer"
        VIEWER = "viewer", "Viewer"

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="project_memberships"
    )
    role = models.CharField(max_length=16, choices=MemberRole.choices)
    since = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "user"], name="projects_member_once"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "developer", "viewer"]),
                name="projects_member_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.project_id}"


class EndUser(models.Model):
    """Somebody whom a project serves, made at first sight. `ref` is a keyed digest of the id that
    the project claims; the id, an address or a name is nowhere. Empty once erased.
    """

    class Standing(models.TextChoices):
        GOOD = "good", "Good"
        WARNED = "warned", "Warned"
        SUSPENDED = "suspended", "Suspended"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    project = models.ForeignKey(
        Project,
        models.PROTECT,
        related_name="end_users",
        db_index=False,  # `projects_end_user_seen` begins with it
    )
    ref = models.CharField(max_length=64, blank=True)
    standing = models.CharField(max_length=16, choices=Standing.choices, default=Standing.GOOD)
    suspended_until = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "ref"], condition=~Q(ref=""), name="projects_end_user_once"
            ),
            models.CheckConstraint(
                condition=~Q(ref="") | Q(erased_at__isnull=False),
                name="projects_end_user_has_ref",
            ),
            models.CheckConstraint(
                condition=Q(standing="suspended") ^ Q(suspended_until=None),
                name="projects_suspension_ends",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["project", "-last_seen_at"], name="projects_end_user_seen"),
            models.Index(
                fields=["suspended_until"],
                condition=Q(standing="suspended"),
                name="projects_suspensions_end",
            ),
        ]

    def __str__(self) -> str:
        return f"end user {self.id}"

    def is_suspended(self, *, at: datetime) -> bool:
        """Whether it may ask for nothing at `at`."""
        return self.suspended_until is not None and self.suspended_until > at
