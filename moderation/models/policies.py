"""Policy versions, and the audience profile that a person chose."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from moderation.models.conditions import already


class Policy(models.Model):
    """One policy version: ``draft -> proposed -> active -> retired``.

    One that ships is kept when it first judges something, and is active from then on. Its document
    never changes; activation needs a second person, which the database holds too.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PROPOSED = "proposed", "Proposed"
        ACTIVE = "active", "In force"
        RETIRED = "retired", "Retired"

    TRANSITIONS = {
        Status.DRAFT: {Status.PROPOSED, Status.RETIRED},
        Status.PROPOSED: {Status.ACTIVE, Status.RETIRED},
        Status.ACTIVE: {Status.RETIRED},
        Status.RETIRED: set[Status](),
    }

    version = models.CharField(max_length=64, unique=True)
    profile = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)
    document = models.JSONField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    is_shipped = models.BooleanField(default=True)
    first_used_at = models.DateTimeField(null=True)
    based_on = models.CharField(max_length=64, blank=True)
    changes = models.JSONField(null=True)
    rationale = models.TextField(blank=True)
    attachment = models.JSONField(null=True)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    drafted_at = models.DateTimeField(null=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    proposed_at = models.DateTimeField(null=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "policies"
        permissions = [
            ("export_reports", "Can export compliance reports"),
            ("propose_policies", "Can draft and propose policies"),
            ("govern_policies", "Can put policies in force and keep banks"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["profile"], condition=Q(status="active"), name="one_active_policy"
            ),
            models.CheckConstraint(
                condition=~Q(activated_by=F("drafted_by")), name="activator_did_not_draft"
            ),
            models.CheckConstraint(
                condition=~Q(activated_by=F("proposed_by")), name="activator_did_not_propose"
            ),
        ]

    def __str__(self) -> str:
        return self.version

    def get_absolute_url(self) -> str:
        return reverse("moderation:policy-version", args=[self.version])

    def _move(self, status: "Policy.Status") -> None:
        if status not in self.TRANSITIONS[self.Status(self.status)]:
            raise already("policy", self.get_status_display().lower())
        self.status = status

    def propose(self, *, by_id: int, at: datetime) -> None:
        self._move(self.Status.PROPOSED)
        self.proposed_by_id, self.proposed_at = by_id, at
        self.save()

    def activate(self, *, by_id: int, at: datetime) -> None:
        self._move(self.Status.ACTIVE)
        self.activated_by_id, self.activated_at = by_id, at
        self.save()

    def retire(self, *, at: datetime) -> None:
        self._move(self.Status.RETIRED)
        self.retired_at = at
        self.save()


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
