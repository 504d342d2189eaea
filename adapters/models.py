"""Base models that operators register, and the LoRA adapters that fit them."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.files.storage import storages
from django.core.files.storage.base import Storage
from django.db import models
from django.db.models import Q


def private_storage() -> Storage:
    """Storage that no URL serves: adapter files leave it only through a view that checks."""
    return storages["private"]


class Family(models.TextChoices):
    STARTER = "starter", "Proofsheet starter"
    SD15 = "sd15", "Stable Diffusion 1.5"
    SD21 = "sd21", "Stable Diffusion 2.1"
    SDXL = "sdxl", "Stable Diffusion XL"
    FLUX = "flux", "Flux"


class BaseModel(models.Model):
    """A diffusion model in a local folder. Its rank ceiling is declared here, before it is loaded.

    The VAE decodes `native_size` pixels a side; images are delivered `upscale` times as large.
    """

    slug = models.SlugField(unique=True, max_length=64)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    family = models.CharField(max_length=16, choices=Family.choices)
    folder = models.CharField(max_length=500, help_text="Absolute, or relative to the project.")
    digest = models.CharField(max_length=64, help_text="SHA-256 over the folder's files.")
    native_size = models.PositiveIntegerField(help_text="Pixels a side out of the VAE.")
    upscale = models.PositiveSmallIntegerField(default=1)
    sizes = models.JSONField(help_text="Delivered sizes: [[width, height], ...].")
    default_steps = models.PositiveSmallIntegerField(default=20)
    few_steps = models.PositiveSmallIntegerField(default=4)
    default_guidance = models.FloatField(default=5.0)
    rank_ceiling = models.PositiveSmallIntegerField(default=16)
    licence = models.CharField(max_length=200, blank=True)
    is_default = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="adapters_one_default_model",
            ),
            models.CheckConstraint(
                condition=Q(native_size__gt=0, upscale__gt=0, rank_ceiling__gt=0),
                name="adapters_model_sizes_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return Path(settings.ROOT) / self.folder

    @property
    def default_size(self) -> tuple[int, int]:
        width, height = self.sizes[0]
        return int(width), int(height)

    def can_deliver(self, width: int, height: int) -> bool:
        return [width, height] in self.sizes


class Adapter(models.Model):
    """A LoRA adapter for one base model; `owner` is null for those that ship with the project."""

    class State(models.TextChoices):
        UPLOADED = "uploaded"
        VALIDATING = "validating"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"

    class Visibility(models.TextChoices):
        PRIVATE = "private"
        LINK = "link", "shared by link"
        PUBLIC = "public"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    slug = models.SlugField(unique=True, max_length=64)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    base_model = models.ForeignKey(BaseModel, on_delete=models.PROTECT, related_name="adapters")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE
    )
    file = models.FileField(storage=private_storage, upload_to="adapters", max_length=200)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    rank = models.PositiveSmallIntegerField()
    trigger = models.CharField(max_length=120, blank=True, help_text="Words that call the style.")
    licence = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.UPLOADED)
    visibility = models.CharField(
        max_length=16, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "base_model", "sha256"],
                nulls_distinct=False,
                name="adapters_same_file_is_same_adapter",
            ),
            models.CheckConstraint(condition=Q(rank__gt=0), name="adapters_rank_positive"),
        ]

    def __str__(self) -> str:
        return self.name
