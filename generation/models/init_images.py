"""Pictures that requests start from, and what the screening said of them."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.fields.files import FieldFile

from config.core.storage import private_storage
from config.core.transitions import WrongState
from generation.models.images import GeneratedImage
from generation.models.requests import GenerationRequest
from generation.request_rules.parameters import MASK_FILLS, RESIZE_MODES


class SourceState(models.TextChoices):
    """What the screening said of a picture to start from; only a passed one is used."""

    UNSCREENED = "unscreened"
    HELD = "held"
    PASSED = "passed"
    REFUSED = "refused"


class SourcePicture(models.Model):
    """The picture that a request starts from: an upload, stored privately as it came, or a released
    image of the same owner, which is then named and not copied.

    Nothing uses it before it has passed. Its id is what moderation decides about.
    """

    TRANSITIONS: dict[str, frozenset[str]] = {
        SourceState.UNSCREENED: frozenset(
            {SourceState.PASSED, SourceState.HELD, SourceState.REFUSED}
        ),
        SourceState.HELD: frozenset({SourceState.PASSED, SourceState.REFUSED}),
        SourceState.REFUSED: frozenset({SourceState.PASSED}),
        SourceState.PASSED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    request = models.OneToOneField(
        GenerationRequest, on_delete=models.CASCADE, related_name="source"
    )
    image = models.ForeignKey(
        GeneratedImage, on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
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
    mask = models.FileField(
        storage=private_storage,
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="Grey levels of its size: white is painted anew, black stays.",
    )
    mask_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    mask_fill = models.CharField(
        max_length=16,
        choices=[(fill, fill) for fill in MASK_FILLS],
        blank=True,
        default="",
        db_default="",
        help_text="What lies under the mask at first.",
    )
    mask_padding = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Pixels about the mask that are drawn; all when empty."
    )
    resize_mode = models.CharField(
        max_length=8,
        choices=[(mode, mode) for mode in RESIZE_MODES],
        default="crop",
        db_default="crop",
        help_text="How it comes into the shape of the request.",
    )
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
            models.CheckConstraint(
                condition=Q(mask="", mask_fill="", mask_sha256="")
                | Q(mask_fill__in=MASK_FILLS) & ~Q(mask_sha256=""),
                name="generation_source_mask_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(resize_mode__in=RESIZE_MODES), name="generation_source_mode_known"
            ),
        ]

    def __str__(self) -> str:
        return f"source {self.id} ({self.state})"

    def _move(self, to: SourceState, *, code: str = "") -> None:
        if to not in self.TRANSITIONS[self.state]:
            raise WrongState
        self.state, self.code = to, code
        self.save()

    def accept(self) -> None:
        self._move(SourceState.PASSED)

    def hold(self, *, code: str) -> None:
        self._move(SourceState.HELD, code=code)

    def refuse(self, *, code: str) -> None:
        self._move(SourceState.REFUSED, code=code)

    @property
    def files(self) -> list[FieldFile]:
        """Those that it has in the private storage."""
        return [file for file in (self.file, self.mask) if file]

    def erase(self) -> None:
        """Forget the files; its row stays with the request, as an image's does."""
        self.file = self.mask = ""
        self.save()
