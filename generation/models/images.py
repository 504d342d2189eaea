"""The images that came of requests: who may see which, and what made them."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.core.ownership import ProjectRows
from config.core.projects import columns
from config.core.storage import private_storage
from config.core.transitions import WrongState
from generation.models.requests import GenerationRequest


class ImageState(models.TextChoices):
    """Held waits for a reviewer, withheld was refused; its owner sees a released one alone."""

    HELD = "held"
    RELEASED = "released"
    WITHHELD = "withheld"


class Restriction(models.TextChoices):
    """How a released image may be shown."""

    BLURRED = "blurred"
    AGE_RESTRICTED = "age_restricted", "for adults"


class ImageRows(ProjectRows["GeneratedImage"]):
    """Images, by whose project they are."""


class GeneratedImage(models.Model):
    """A marked, screened and signed image. Its id is the id of its provenance asset.

    Everything that made it is frozen here, so it can be shown and made again whatever becomes
    of the request, the model or the adapters.
    """

    TRANSITIONS: dict[str, frozenset[str]] = {
        ImageState.HELD: frozenset({ImageState.RELEASED, ImageState.WITHHELD}),
        ImageState.RELEASED: frozenset({ImageState.WITHHELD}),
        ImageState.WITHHELD: frozenset({ImageState.RELEASED}),
    }

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    request = models.ForeignKey(GenerationRequest, on_delete=models.CASCADE, related_name="images")
    index = models.PositiveSmallIntegerField(default=0)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="generated_images"
    )
    project = columns.project()
    end_user = columns.end_user()
    state = models.CharField(max_length=16, choices=ImageState.choices)
    code = models.CharField(
        max_length=64, blank=True, help_text="Why it is held, withheld or restricted."
    )
    restriction = models.CharField(
        max_length=16, choices=Restriction.choices, blank=True, default="", db_default=""
    )
    shown_at = models.DateTimeField(
        null=True, blank=True, help_text="When its owner chose to see a blurred one."
    )
    file = models.FileField(storage=private_storage, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    prompt = models.TextField()
    negative_prompt = models.TextField(blank=True)
    seed = models.BigIntegerField()
    steps = models.PositiveSmallIntegerField()
    guidance = models.FloatField()
    guidance_rescale = models.FloatField(default=0.0, db_default=0.0)
    model_slug = models.CharField(max_length=64)
    model_name = models.CharField(max_length=120)
    model_digest = models.CharField(max_length=64)
    adapters = models.JSONField(default=list, help_text="[{slug, name, weight, sha256}]")
    source = models.JSONField(
        default=dict, help_text="{strength, sha256, image, mask} of what made it; else empty."
    )
    library_versions = models.JSONField(default=dict)
    notes = models.JSONField(default=list, help_text="[{code, message}], such as a cut prompt.")

    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ImageRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "index"], name="generation_one_image_a_place"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ImageState.values), name="generation_image_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=ImageState.RELEASED) | Q(released_at__isnull=False),
                name="generation_image_released_at_when_released",
            ),
            models.CheckConstraint(
                condition=Q(restriction="") | Q(state=ImageState.RELEASED),
                name="generation_image_restricted_when_released",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="generation_image_by_age"),
            models.Index(
                fields=["owner", "-created_at"],
                condition=Q(deleted_at__isnull=True),
                name="generation_image_of_owner",
            ),
            models.Index(
                fields=["project", "-created_at"],
                condition=Q(deleted_at__isnull=True),
                name="generation_image_of_project",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"

    def _move(self, to: ImageState) -> None:
        if to not in self.TRANSITIONS[self.state]:
            raise WrongState
        self.state = to

    @property
    def is_blurred(self) -> bool:
        """Whether even its owner gets it blurred for now."""
        return self.restriction == Restriction.BLURRED and self.shown_at is None

    def release(self, *, at: datetime) -> None:
        self._move(ImageState.RELEASED)
        self.released_at = at
        self.code, self.restriction = "", ""
        self.save()

    def restrict(self, how: Restriction, *, code: str, at: datetime) -> None:
        """Release it, or leave it released, but shown only so."""
        if self.state != ImageState.RELEASED:
            self._move(ImageState.RELEASED)
            self.released_at = at
        self.restriction, self.code, self.shown_at = how, code, None
        self.save()

    def lift(self) -> None:
        """Show it as any other."""
        if not self.restriction:
            raise WrongState
        self.restriction, self.code, self.shown_at = "", "", None
        self.save()

    def show(self, *, at: datetime) -> None:
        """Its owner chooses to see a blurred one."""
        if self.restriction != Restriction.BLURRED:
            raise WrongState
        self.shown_at = self.shown_at or at
        self.save()

    def withhold(self, *, code: str) -> None:
        self._move(ImageState.WITHHELD)
        self.code, self.restriction, self.shown_at = code, "", None
        self.save()

    def mark_deleted(self, *, at: datetime) -> None:
        if self.state == ImageState.HELD:
            raise WrongState
        self.deleted_at = at
        self.file = self.prompt = self.negative_prompt = ""
        self.source, self.notes = {}, []
        self.save()
