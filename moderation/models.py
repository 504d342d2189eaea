"""Policies, screenings, review cases, decisions, statements and appeals.

Rows change only through the domain modules (``cases``, ``decisions``, ``appeals``), which hold the
row's lock and call the transition methods below. ``Decision`` rows never change; a trigger repeats
that.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from provenance.errors import ProofsheetError


class WrongState(ProofsheetError):
    """The row is not in a state that allows this transition."""

    def __init__(self, noun: str, status: str) -> None:
        super().__init__(
            code=f"{noun}_wrong_state",
            message=f"This {noun} is already {status}.",
            advice="Reload the page to see what happened to it.",
            status=409,
        )


class NeverChanged(RuntimeError):
    """Somebody tried to change or delete a decision; write a new one that names the old."""


class SubjectKind(models.TextChoices):
    PROMPT = "prompt", "Prompt"
    IMAGE = "image", "Image"
    ADAPTER = "adapter", "Adapter"


class Policy(models.Model):
    """One policy version as it was when it first judged something."""

    version = models.CharField(max_length=64, unique=True)
    profile = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)
    document = models.JSONField()
    first_used_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "policies"
        permissions = [("export_reports", "Can export compliance reports")]

    def __str__(self) -> str:
        return self.version


class Screening(models.Model):
    """One verdict of the classifiers and rules on one prompt or picture. Holds digests, never the
    text.
    """

    class Verdict(models.TextChoices):
        ALLOW = "allow", "Allow"
        HOLD = "hold", "Hold"
        REFUSE = "refuse", "Refuse"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    stage = models.CharField(max_length=8, choices=SubjectKind.choices)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT)
    profile = models.CharField(max_length=32)
    classifier = models.CharField(max_length=64)
    cache_key = models.CharField(max_length=64)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    learned = models.JSONField()
    categories = models.JSONField()
    matched = models.JSONField(default=list)
    is_from_cache = models.BooleanField(default=False)
    screened_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["cache_key", "-screened_at"], name="screening_cache_key")]

    def __str__(self) -> str:
        return f"{self.stage} {self.verdict}"


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
    evidence = models.JSONField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    category = models.CharField(max_length=32, blank=True)
    severity = models.PositiveSmallIntegerField(default=1)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    leased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("review_cases", "Can review cases")]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=~Q(status="decided"),
                name="one_undecided_case_per_subject",
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
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} case {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("moderation:case", args=[self.id])

    def _move(self, status: "ReviewCase.Status") -> None:
        if status not in self.TRANSITIONS[self.Status(self.status)]:
            raise WrongState("case", self.status)
        self.status = status

    def is_leased(self, *, at: datetime) -> bool:
        """Whether somebody holds it at `at`; a lease that ran out is none."""
        return self.lease_expires_at is not None and self.lease_expires_at > at

    def lease(self, *, by_id: int, until: datetime, token: UUID) -> None:
        self._move(self.Status.LEASED)
        self.leased_by_id, self.lease_token, self.lease_expires_at = by_id, token, until
        self.save()

    def reopen(self) -> None:
        self._move(self.Status.OPEN)
        self.leased_by_id, self.lease_token, self.lease_expires_at = None, None, None
        self.save()

    def propose(self) -> None:
        self._move(self.Status.PROPOSED)
        self.lease_token, self.lease_expires_at = None, None
        self.save()

    def close(self, *, at: datetime) -> None:
        self._move(self.Status.DECIDED)
        self.lease_token, self.lease_expires_at, self.decided_at = None, None, at
        self.save()


class Decision(models.Model):
    """What was decided about a subject, by whom and why. Never changed: a reversal is a new row."""

    class Action(models.TextChoices):
        ALLOW = "allow", "Allow"
        REFUSE = "refuse", "Refuse"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    case = models.OneToOneField(ReviewCase, null=True, on_delete=models.PROTECT)
    subject_kind = models.CharField(max_length=8, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    action = models.CharField(max_length=8, choices=Action.choices)
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
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
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
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="decision_subject")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind} {self.subject_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise NeverChanged("A decision is never changed; write a new one that names it.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise NeverChanged("A decision is never deleted.")


class Intent(models.Model):
    """A decision that a reviewer made and that has no effect yet.

    It waits for the undo window, and a severe one for a second person's confirmation; then it
    becomes a ``Decision``. Undone or overturned, it is gone.
    """

    case = models.OneToOneField(ReviewCase, on_delete=models.CASCADE)
    action = models.CharField(max_length=8, choices=Decision.Action.choices)
    reason = models.CharField(max_length=32)
    explanation = models.TextField(blank=True)
    is_severe = models.BooleanField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(confirmed_by=F("decided_by")), name="intent_confirmer_is_not_decider"
            )
        ]

    def __str__(self) -> str:
        return f"intent to {self.action} {self.case_id}"

    def confirm(self, *, by_id: int) -> None:
        self.confirmed_by_id = by_id
        self.save()


class Statement(models.Model):
    """The statement of reasons that belongs to a refusal (DSA Art. 17(3))."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="statements"
    )
    fields = models.JSONField(help_text="EU Transparency Database field names; no personal data")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"statement {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("moderation:statement", args=[self.id])


class Appeal(models.Model):
    """An internal complaint, heard by someone who did not decide:
    ``lodged -> heard -> upheld | reversed``, or ``lodged -> withdrawn``.
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
    decider = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    grounds = models.TextField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.LODGED)
    lodged_at = models.DateTimeField()
    due_at = models.DateTimeField()
    hearer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reasons = models.TextField(blank=True)
    heard_at = models.DateTimeField(null=True)

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
            raise WrongState("appeal", self.status)
        self.status = status

    def withdraw(self, *, at: datetime) -> None:
        self._move(self.Status.WITHDRAWN)
        self.heard_at = at
        self.save()

    def take(self, *, by_id: int) -> None:
        self._move(self.Status.HEARD)
        self.hearer_id = by_id
        self.save()

    def conclude(self, status: "Appeal.Status", *, reasons: str, at: datetime) -> None:
        self._move(status)
        self.reasons, self.heard_at = reasons, at
        self.save()


class Reveal(models.Model):
    """Somebody looked at a picture that had been shown blurred: who, what and when."""

    subject_kind = models.CharField(max_length=8, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    revealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    severity = models.PositiveSmallIntegerField()
    revealed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["revealed_by", "-revealed_at"], name="reveal_person"),
            models.Index(fields=["subject_kind", "subject_id"], name="reveal_subject"),
        ]

    def __str__(self) -> str:
        return f"reveal of {self.subject_kind} {self.subject_id}"


class AudienceChoice(models.Model):
    """The audience profile that a person chose; `attested_at` is when they said to be of age."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    profile = models.CharField(max_length=32)
    chosen_at = models.DateTimeField()
    attested_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(profile="adult") | Q(attested_at__isnull=False),
                name="adult_audience_is_attested",
            )
        ]

    def __str__(self) -> str:
        return f"{self.profile} for {self.user_id}"
