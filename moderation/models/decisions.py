"""Decisions, those that still wait for their effect, and their statements of reasons."""

import secrets
from typing import cast
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from config.core.ownership import ProjectRows
from config.core.projects import columns
from config.core.transitions import WrittenOnce
from moderation.models.cases import ReviewCase
from moderation.models.conditions import Perceived, SubjectKind
from moderation.subjects.actions import ACTIONS, ActionRule
from moderation.subjects.evidence import Evidence, read
from moderation.subjects.subject import Action


def new_salt() -> bytes:
    """128 random bits for one decision's digest in the log."""
    return secrets.token_bytes(16)


class Decision(WrittenOnce):
    """What was decided about a subject, by whom and why. Never changed: a reversal is a new row.

    One that `follows` another was made with it about something else: the adapter of a picture.
    """

    class Action(models.TextChoices):
        ALLOW = "allow", "Allow"
        REFUSE = "refuse", "Refuse"
        BLUR = "blur", "Blur"
        AGE_RESTRICT = "age_restrict", "Adults only"
        WITHDRAW_ADAPTER = "withdraw_adapter", "Withdraw the adapter"
        WARN = "warn", "Refuse and warn"
        SUSPEND = "suspend", "Refuse and suspend"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    case = models.OneToOneField(ReviewCase, null=True, on_delete=models.PROTECT)
    subject_kind = models.CharField(max_length=8, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    project = columns.project(null=True)
    end_user = columns.end_user()
    overlay = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of the project, if any."
    )
    action = models.CharField(max_length=16, choices=Action.choices)
    days = models.PositiveSmallIntegerField(null=True, help_text="How long a suspension lasts.")
    is_automated = models.BooleanField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=32)
    explanation = models.TextField(blank=True)
    code = models.CharField(max_length=64)
    categories = models.JSONField()
    evidence = models.JSONField()
    policy_version = models.CharField(max_length=64)
    is_severe = models.BooleanField(default=False)
    is_confirmed = models.BooleanField(default=False)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversed_by"
    )
    follows = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="consequences"
    )
    decided_at = models.DateTimeField()
    salt = models.BinaryField(default=new_salt, help_text="In the digest that the log keeps.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(action="suspend") | Q(is_severe=True, days__isnull=False, days__gt=0),
                name="suspension_is_severe_and_ends",
            ),
            models.CheckConstraint(
                condition=Q(action="suspend") | Q(days__isnull=True),
                name="only_suspensions_have_days",
            ),
            models.CheckConstraint(
                condition=Q(is_automated=False) | Q(decided_by__isnull=True),
                name="automated_decision_has_no_person",
            ),
            models.CheckConstraint(
                condition=Q(reverses__isnull=True) | Q(is_automated=False),
                name="reversal_is_never_automated",
            ),
            models.CheckConstraint(
                condition=~Q(confirmed_by=F("decided_by")), name="confirmer_is_not_decider"
            ),
            models.CheckConstraint(
                condition=Q(is_severe=False)
                | Q(is_automated=True)
                | Q(reverses__isnull=False)
                | Q(is_confirmed=True),
                name="severe_decision_is_confirmed",
            ),
        ]
        indexes = [
            models.Index(fields=["subject_kind", "subject_id"], name="decision_subject"),
            models.Index(fields=["owner", "-decided_at"], name="decision_owner_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind} {self.subject_id}"

    @property
    def measure(self) -> ActionRule:
        return ACTIONS[cast(Action, self.action)]

    @property
    def seen(self) -> Evidence:
        """What whoever decided was shown of the subject."""
        return read(self.subject_kind, self.evidence)


class PendingDecision(models.Model):
    """A decision that a reviewer made and that has no effect yet.

    It waits for the undo window, and a severe one for a second person's confirmation; then it
    becomes a ``Decision``. Undone or overturned, it is gone.
    """

    case = models.OneToOneField(
        ReviewCase, on_delete=models.CASCADE, related_name="pending_decision"
    )
    batch = models.UUIDField(null=True, db_index=True, help_text="Of several decided at once.")
    action = models.CharField(max_length=16, choices=Decision.Action.choices)
    days = models.PositiveSmallIntegerField(null=True)
    adapter = models.CharField(max_length=64, blank=True, help_text="Slug of the one to withdraw.")
    reason = models.CharField(max_length=32)
    explanation = models.TextField(blank=True)
    is_severe = models.BooleanField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    perceived = models.CharField(
        max_length=16, choices=Perceived.choices, blank=True, default="", db_default=""
    )
    decided_at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        db_table = "moderation_intent"  # as it was called first
        constraints = [
            models.CheckConstraint(
                condition=~Q(confirmed_by=F("decided_by")), name="intent_confirmer_is_not_decider"
            ),
            models.CheckConstraint(
                condition=~Q(action="suspend") | Q(is_severe=True, days__isnull=False, days__gt=0),
                name="intended_suspension_is_severe_and_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"pending decision to {self.action} {self.case_id}"

    @property
    def measure(self) -> ActionRule:
        return ACTIONS[cast(Action, self.action)]

    def confirm(self, *, by_id: int) -> None:
        self.confirmed_by_id = by_id
        self.save()


class StatementRows(ProjectRows["Statement"]):
    """Statements, by whose project they are."""


class Statement(models.Model):
    """The statement of reasons that belongs to a restriction (DSA Art. 17(3))."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="statements"
    )
    project = columns.project(null=True)
    end_user = columns.end_user()
    fields = models.JSONField(help_text="EU Transparency Database field names; no personal data")
    created_at = models.DateTimeField()

    objects = StatementRows.as_manager()

    def __str__(self) -> str:
        return f"statement {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("moderation:statement", args=[self.id])
