"""Internal complaints against decisions."""

from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from config.core.ownership import ProjectRows
from config.core.projects import columns
from moderation.models.conditions import already
from moderation.models.decisions import Decision
from moderation.models.public_addresses import PublicAddress
from moderation.models.reports import Report

GROUNDS_MAX = 4000  # characters of grounds, reasons and explanations


class AppealRows(ProjectRows["Appeal"]):
    """Appeals, by whose project they are."""


class Appeal(models.Model):
    """An internal complaint, heard by someone who did not decide:
    ``lodged -> heard -> upheld | reversed``, or ``lodged -> withdrawn``.

    With a `report`, whoever sent it contests that a reported picture stays. With an `address`,
    whoever holds it contests what it shows. Without an account there is no `appellant` then, and
    `email` is kept until the outcome is mailed to it.
    """

    class Status(models.TextChoices):
        LODGED = "lodged", "Lodged"
        HEARD = "heard", "Being heard"
        UPHELD = "upheld", "Decision upheld"
        REVERSED = "reversed", "Decision reversed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    TRANSITIONS = {
        Status.LODGED: {Status.HEARD, Status.WITHDRAWN},
        Status.HEARD: {Status.UPHELD, Status.REVERSED},
        Status.UPHELD: set[Status](),
        Status.REVERSED: set[Status](),
        Status.WITHDRAWN: set[Status](),
    }

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT)
    appellant = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="appeals"
    )
    project = columns.project(null=True)
    end_user = columns.end_user()
    decider = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    report = models.OneToOneField(
        Report, null=True, on_delete=models.PROTECT, related_name="appeal", db_column="notice_id"
    )
    address = models.ForeignKey(
        PublicAddress, null=True, on_delete=models.PROTECT, related_name="appeals"
    )
    email = models.EmailField(blank=True, default="", db_default="")
    grounds = models.TextField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.LODGED)
    lodged_at = models.DateTimeField()
    due_at = models.DateTimeField()
    hearer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reasons = models.TextField(blank=True)
    heard_at = models.DateTimeField(null=True)

    objects = AppealRows.as_manager()

    class Meta:
        permissions = [("hear_appeals", "Can hear appeals")]
        constraints = [
            models.CheckConstraint(condition=~Q(hearer=F("decider")), name="hearer_is_not_decider"),
            models.CheckConstraint(
                condition=~Q(hearer=F("appellant")), name="hearer_is_not_appellant"
            ),
        ]

    def __str__(self) -> str:
        return f"appeal {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("moderation:appeal", args=[self.id])

    def _move(self, status: "Appeal.Status") -> None:
        if status not in self.TRANSITIONS[self.Status(self.status)]:
            raise already("appeal", self.status)
        self.status = status

    def withdraw(self, *, at: datetime) -> None:
        self._move(self.Status.WITHDRAWN)
        self.heard_at, self.email = at, ""  # nothing is left to mail
        self.save()

    def take(self, *, by_id: int) -> None:
        self._move(self.Status.HEARD)
        self.hearer_id = by_id
        self.save()

    def conclude(self, status: "Appeal.Status", *, reasons: str, at: datetime) -> None:
        self._move(status)
        self.reasons, self.heard_at = reasons, at
        self.save()
