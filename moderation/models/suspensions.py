"""Accounts that are suspended for a while."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.core.projects import columns
from moderation.models.decisions import Decision


class Suspension(models.Model):
    """The effect of a decision on its owner's account, until `ends_at` or until it is lifted."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="suspensions"
    )
    end_user = columns.end_user()
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT)
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("began_at")), name="suspension_ends_after_it_began"
            )
        ]
        indexes = [
            models.Index(
                fields=["user", "-ends_at"],
                condition=Q(lifted_at__isnull=True),
                name="suspension_person",
            )
        ]

    def __str__(self) -> str:
        return f"suspension of {self.user_id} until {self.ends_at:%F}"

    def lift(self, *, at: datetime) -> None:
        self.lifted_at = at
        self.save(update_fields=["lifted_at"])
