"""Addresses under which whoever holds them reads one decision, without an account."""

from uuid import uuid4

from django.db import models
from django.db.models import Q

from moderation.models.cases import ReviewCase
from moderation.models.decisions import Decision


class PublicAddress(models.Model):
    """One address of a decision that no case came before, or of a case and its decision to come.

    Its token is nowhere: `digest` is the token's SHA-256. It is derived again from what it stands
    for and from `number`, which counts the addresses of the same thing that were withdrawn before.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    case = models.ForeignKey(
        ReviewCase, null=True, on_delete=models.PROTECT, related_name="public_addresses"
    )
    decision = models.ForeignKey(
        Decision, null=True, on_delete=models.PROTECT, related_name="public_addresses"
    )
    number = models.PositiveSmallIntegerField(default=0)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(case__isnull=True) ^ Q(decision__isnull=True),
                name="public_address_is_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["case", "number"], name="public_address_of_a_case_numbered"
            ),
            models.UniqueConstraint(
                fields=["decision", "number"], name="public_address_of_a_decision_numbered"
            ),
        ]

    def __str__(self) -> str:
        return f"address {self.number} of {self.case_id or self.decision_id}"

    @property
    def decided(self) -> Decision | None:
        """The decision that it shows; None while its case waits."""
        if self.case is None:
            return self.decision
        found: Decision | None = getattr(self.case, "decision", None)
        return found
