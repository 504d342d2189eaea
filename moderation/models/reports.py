"""Reports of public pictures (notices of DSA Art. 16): what was reported, and who may be told."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from moderation.models.cases import ReviewCase
from moderation.models.decisions import Decision


class Report(models.Model):
    """One report of one picture. Whoever holds `receipt_key` may read what became of it.

    `sender` is a keyed digest of the network address of a notifier without an account; with name
    and e-mail address it is the only personal data, and all three are forgotten after a while.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    receipt_key = models.UUIDField(unique=True, default=uuid4, editable=False)
    case = models.ForeignKey(ReviewCase, on_delete=models.PROTECT, related_name="reports")
    notifier = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    sender = models.CharField(max_length=64, blank=True, db_index=True)
    name = models.CharField(max_length=150, blank=True)
    email = models.EmailField(blank=True)
    category = models.CharField(max_length=32)
    explanation = models.TextField()
    is_trusted = models.BooleanField(default=False)
    is_in_good_faith = models.BooleanField()
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "moderation_contentnotice"  # as it was called first; its triggers stay with it
        permissions = [("flag_with_trust", "Is a trusted flagger")]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_in_good_faith=True), name="notice_is_in_good_faith"
            ),
            models.CheckConstraint(
                condition=Q(is_trusted=False) | Q(sender=""), name="trusted_notice_has_an_account"
            ),
            models.UniqueConstraint(
                fields=["case", "notifier"], name="one_notice_a_case_and_person"
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("moderation:receipt", args=[self.receipt_key])

    @property
    def first_decision(self) -> Decision | None:
        """What was decided about the case; None while it waits."""
        decision: Decision | None = getattr(self.case, "decision", None)
        return decision

    @property
    def decision(self) -> Decision | None:
        """What holds now: the first decision, or the last of those that reversed one another."""
        holds, later = None, self.first_decision
        while later is not None:
            holds, later = later, getattr(later, "reversed_by", None)
        return holds
