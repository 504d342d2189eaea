"""What reviewers looked at, when they rested, and how strongly they want pictures blurred."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from moderation.models.conditions import SubjectKind


class Reveal(models.Model):
    """Somebody looked at a picture that had been shown blurred: who, what and when."""

    subject_kind = models.CharField(max_length=8, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    revealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    category = models.CharField(max_length=32, blank=True)
    severity = models.PositiveSmallIntegerField()
    revealed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["revealed_by", "-revealed_at"], name="reveal_person"),
            models.Index(fields=["subject_kind", "subject_id"], name="reveal_subject"),
        ]

    def __str__(self) -> str:
        return f"reveal of {self.subject_kind} {self.subject_id}"


class Break(models.Model):
    """A reviewer rests; until `ends_at` the desk gives them nothing to look at."""

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="breaks"
    )
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("began_at")), name="break_ends_after_it_began"
            )
        ]
        indexes = [models.Index(fields=["reviewer", "-began_at"], name="break_person")]

    def __str__(self) -> str:
        return f"break of {self.reviewer_id} until {self.ends_at:%H:%M}"


class BlurChoice(models.Model):
    """How strongly one reviewer wants the pictures of one category blurred."""

    class Level(models.TextChoices):
        LIGHT = "light", "Light"
        USUAL = "usual", "Usual"
        STRONG = "strong", "Strong"

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    category = models.CharField(max_length=32)
    level = models.CharField(max_length=8, choices=Level.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reviewer", "category"], name="one_blur_per_category")
        ]

    def __str__(self) -> str:
        return f"{self.level} blur of {self.category}"
