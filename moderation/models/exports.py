"""What compliance took out, and its digest."""

from django.conf import settings
from django.db import models


class Export(models.Model):
    """One archive that was downloaded: the same kind and period give the same digest again, as
    long as the data of the period are the same.
    """

    class Kind(models.TextChoices):
        STATEMENTS = "statements", "Statements of reasons"
        TRANSPARENCY = "transparency", "Transparency report"
        DECISIONS = "decisions", "Decision log"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    first = models.DateField()
    last = models.DateField()
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.first} to {self.last}"
