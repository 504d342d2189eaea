"""Subjects that wait for a person."""

from datetime import datetime
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from config.core.projects import columns
from moderation.models.conditions import SubjectKind, already
from moderation.subjects.evidence import Evidence, of_a_label, read


class ReviewCase(models.Model):
    """A subject that waits for a person: ``open -> leased -> proposed -> decided``.

    Proposed: somebody decided, but the undo window or a second person is still to pass.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        LEASED = "leased", "Leased"
        PROPOSED = "proposed", "Proposed"
        DECIDED = "decided", "Decided"

    TRANSITIONS = {
        Status.OPEN: {Status.LEASED},
        Status.LEASED: {Status.LEASED, Status.OPEN, Status.PROPOSED, Status.DECIDED},
        Status.PROPOSED: {Status.LEASED, Status.OPEN, Status.DECIDED},
        Status.DECIDED: set[Status](),
    }

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    subject_kind = models.CharField(max_length=8, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="review_cases"
    )
    project = columns.project(null=True)
    end_user = columns.end_user()
    evidence = models.JSONField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    category = models.CharField(max_length=32, blank=True)
    severity = models.PositiveSmallIntegerField(default=1)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    leased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    is_blind = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Answered before verdict, score and category are shown: the answer is a label.",
    )
    is_sampled = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Opened for a label alone: nobody waits for it, and it decides nothing.",
    )
    not_for = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who labelled the subject before.",
    )

    class Meta:
        permissions = [("review_cases", "Can review cases")]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=~Q(status="decided") & Q(is_sampled=False),
                name="one_undecided_case_per_subject",
            ),
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=~Q(status="decided") & Q(is_sampled=True),
                name="one_label_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(is_sampled=False) | Q(is_blind=True), name="sampled_case_is_blind"
            ),
            models.CheckConstraint(
                condition=Q(status="leased") ^ Q(lease_token__isnull=True),
                name="leased_case_has_token",
            ),
            models.CheckConstraint(
                condition=Q(status="decided") ^ Q(decided_at__isnull=True),
                name="decided_case_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-severity", "due_at", "id"],
                condition=~Q(status="decided"),
                name="undecided_case_order",
            ),
            models.Index(
                fields=["project", "status"],
                condition=~Q(status="decided"),
                name="undecided_case_of_project",
            ),
            models.Index(  # the queue in numbers, counted without reading the rows
                fields=["subject_kind", "category", "severity", "due_at"],
                include=["is_blind", "not_for"],
                condition=Q(status__in=["open", "leased"]),
                name="waiting_case_counts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} case {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("moderation:case", args=[self.id])

    @property
    def is_masked(self) -> bool:
        """Whether nobody who looks at it may see verdict, score or category yet."""
        return self.is_blind and self.status != self.Status.DECIDED

    def _move(self, status: "ReviewCase.Status") -> None:
        if status not in self.TRANSITIONS[self.Status(self.status)]:
            raise already("case", self.status)
        self.status = status

    @property
    def seen(self) -> Evidence:
        """What a reviewer is shown of the subject, verdict and scores included."""
        return read(self.subject_kind, self.evidence)

    def is_leased(self, *, at: datetime) -> bool:
        """Whether somebody holds it at `at`; a lease that ran out is none."""
        return self.lease_expires_at is not None and self.lease_expires_at > at

    def lease(self, *, by_id: int, until: datetime, token: UUID) -> None:
        self._move(self.Status.LEASED)
        self.leased_by_id, self.lease_token, self.lease_expires_at = by_id, token, until
        self.save(update_fields=["status", "leased_by", "lease_token", "lease_expires_at"])

    def assign(self, *, to_id: int | None) -> None:
        """Say whose it is; anybody who may decide it still may."""
        self.assigned_to_id = to_id
        self.save(update_fields=["assigned_to"])

    def hurry(self, *, category: str, severity: int, due_at: datetime) -> None:
        """Raise what a new report says about it; nothing is ever lowered."""
        self.category, self.severity, self.due_at = category, severity, due_at
        self.save(update_fields=["category", "severity", "due_at"])

    def reopen(self) -> None:
        self._move(self.Status.OPEN)
        self.leased_by_id, self.lease_token, self.lease_expires_at = None, None, None
        self.save()

    def forget(self) -> None:
        """Drop what was shown for a label that is given."""
        self.evidence = of_a_label(self.evidence)
        self.save(update_fields=["evidence"])

    def propose(self) -> None:
        self._move(self.Status.PROPOSED)
        self.lease_token, self.lease_expires_at = None, None
        self.save()

    def close(self, *, at: datetime) -> None:
        self._move(self.Status.DECIDED)
        self.lease_token, self.lease_expires_at, self.decided_at = None, None, at
        self.save()
