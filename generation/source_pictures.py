"""Rows of pictures that requests start from."""

from __future__ import annotations

from uuid import uuid4

from django.core.files.storage import storages
from django.core.files.storage.base import Storage
from django.db import models
from django.db.models import Q

from provenance.errors import ProofsheetError


def private_storage() -> Storage:
    """Storage that no URL serves: images leave it only through a view that checks the owner."""
    return storages["private"]


class WrongState(ProofsheetError):
    """A move that the table of transitions does not have: a conflict, not a missing permission."""

    default_code = "wrong_state"
    default_status = 409
    default_message = "This has already moved on, so that step is no longer possible."
    default_advice = "Reload the page to see where it stands."


class SourceState(models.TextChoices):
    UNSCREENED = "unscreened"
    HELD = "held"
    PASSED = "passed"
    REFUSED = "refused"


SOURCE_TRANSITIONS: dict[str, frozenset[str]] = {
    SourceState.UNSCREENED: frozenset({SourceState.PASSED, SourceState.HELD, SourceState.REFUSED}),
    SourceState.HELD: frozenset({SourceState.PASSED, SourceState.REFUSED}),
    SourceState.REFUSED: frozenset({SourceState.PASSED}),
    SourceState.PASSED: frozenset(),
}


class SourcePicture(models.Model):
    """The picture that a request starts from: an upload, stored privately as it came, or a released
    image of the same owner, which is then named and not copied.

    Nothing uses it before it has passed. Its id is what moderation decides about.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    request = models.OneToOneField(
        "generation.GenerationRequest", on_delete=models.CASCADE, related_name="source"
    )
    image = models.ForeignKey(
        "generation.GeneratedImage",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )
    strength = models.FloatField(help_text="Share of the steps that are taken, 0.05 to 1.")
    state = models.CharField(
        max_length=16, choices=SourceState.choices, default=SourceState.UNSCREENED
    )
    code = models.CharField(max_length=64, blank=True, help_text="Why it is held or refused.")
    file = models.FileField(storage=private_storage, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SourceState.values), name="generation_source_state_known"
            ),
            models.CheckConstraint(
                condition=Q(strength__range=(0.05, 1.0)), name="generation_source_strength_in_range"
            ),
            models.CheckConstraint(
                condition=Q(image__isnull=True) | Q(file="", state=SourceState.PASSED),
                name="generation_source_image_passed_already",
            ),
        ]

    def __str__(self) -> str:
        return f"source {self.id} ({self.state})"

    def _move(self, to: SourceState, *, code: str = "") -> None:
        if to not in SOURCE_TRANSITIONS[self.state]:
            raise WrongState
        self.state, self.code = to, code
        self.save()

    def accept(self) -> None:
        self._move(SourceState.PASSED)

    def hold(self, *, code: str) -> None:
        self._move(SourceState.HELD, code=code)

    def refuse(self, *, code: str) -> None:
        self._move(SourceState.REFUSED, code=code)

    def erase(self) -> None:
        """Forget the file; its row stays with the request, as an image's does."""
        self.file = ""
        self.save()
