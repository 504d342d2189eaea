"""Projects' overlays on the house's policy, one row a version."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.core.projects import columns


class PolicyOverlay(models.Model):
    """A version of what a project tightens: proposed by one member, in force by another's word."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        IN_FORCE = "in_force", "In force"
        RETIRED = "retired", "Retired"

    project = columns.project()
    number = models.PositiveIntegerField()
    document = models.JSONField()
    rationale = models.TextField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    proposed_at = models.DateTimeField()
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "number"], name="overlay_number_once"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(status="in_force"), name="one_overlay_in_force"
            ),
            models.CheckConstraint(
                condition=~Q(status="in_force") | Q(activated_at__isnull=False),
                name="overlay_in_force_since",
            ),
        ]

    def __str__(self) -> str:
        return self.version

    @property
    def version(self) -> str:
        """As decisions and screenings name it."""
        return f"{self.project_id}/{self.number}"
