"""Base models that operators register, and their layers."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q

from adapters.models.conditions import SizeNotOffered


class Family(models.TextChoices):
    """The architectures that are served; each has its layers in `families/`."""

    STARTER = "starter", "Proofsheet starter"
    SD15 = "sd15", "Stable Diffusion 1.5"
    SD21 = "sd21", "Stable Diffusion 2.1"
    SDXL = "sdxl", "Stable Diffusion XL"
    FLUX = "flux", "Flux"
    SD3_MEDIUM = "sd3-medium", "Stable Diffusion 3 Medium"
    SD35_MEDIUM = "sd35-medium", "Stable Diffusion 3.5 Medium"
    SD35_LARGE = "sd35-large", "Stable Diffusion 3.5 Large"
    Z_IMAGE = "z-image", "Z-Image"

    @property
    def rescales_guidance(self) -> bool:
        """Whether a request may ask for `guidance_rescale`."""
        return self in (Family.STARTER, Family.SD15, Family.SD21, Family.SDXL)


class Tier(models.TextChoices):
    """The hardware that a model asks for: its memory is planned against it before it is loaded."""

    CPU = "cpu", "CPU"
    GPU_8G = "gpu-8g", "GPU, 8 GiB"
    GPU_16G = "gpu-16g", "GPU, 16 GiB"
    GPU_24G = "gpu-24g", "GPU, 24 GiB"
    GPU_48G = "gpu-48g", "GPU, 48 GiB"
    GPU_80G = "gpu-80g", "GPU, 80 GiB"


class BaseModel(models.Model):
    """A diffusion model in a local folder. Its rank ceiling is declared here, before it is loaded.

    The VAE decodes `native_size` pixels a side; images are delivered `upscale` times as large.
    """

    slug = models.SlugField(unique=True, max_length=64)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    family = models.CharField(max_length=16, choices=Family.choices)
    folder = models.CharField(max_length=500, help_text="Absolute, or relative to the project.")
    hub_id = models.CharField(max_length=200, blank=True, help_text="Where the folder came from.")
    hub_revision = models.CharField(max_length=64, blank=True, help_text="The pinned revision.")
    digest = models.CharField(max_length=64, help_text="SHA-256 over the folder's files.")
    native_size = models.PositiveIntegerField(help_text="Pixels a side out of the VAE.")
    upscale = models.PositiveSmallIntegerField(default=1)
    sizes = models.JSONField(help_text="Delivered sizes: [[width, height], ...].")
    default_steps = models.PositiveSmallIntegerField(default=20)
    few_steps = models.PositiveSmallIntegerField(default=4)
    live_steps = models.PositiveSmallIntegerField(
        default=4, help_text="Of the live page; more than the few steps count as those."
    )
    default_guidance = models.FloatField(default=5.0)
    rank_ceiling = models.PositiveSmallIntegerField(default=16)
    tier = models.CharField(max_length=16, choices=Tier.choices, default=Tier.CPU)
    memory_mib = models.PositiveIntegerField(default=0, help_text="Size of the weights.")
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

    def delivered_size(self, width: int | None, height: int | None) -> tuple[int, int]:
        """What is asked for, the usual sides where nothing is. Raises SizeNotOffered."""
        size = self.default_size
        size = size[0] if width is None else width, size[1] if height is None else height
        if list(size) not in self.sizes:
            offered = ", ".join(f"{w}×{h}" for w, h in self.sizes)
            raise SizeNotOffered(
                message=f"{self.name} cannot make images of {size[0]}×{size[1]} pixels.",
                advice=f"Choose one of: {offered}.",
            )
        return size


class Architecture(models.Model):
    """The layers of one base model that an adapter may change, from the model's own configuration.

    `components` is {"unet": {"module.path": [in, out] or [in, out, kernel]}, ...}; it is large, so
    it lies beside the model's row and not in it.
    """

    base_model = models.OneToOneField(
        BaseModel, on_delete=models.CASCADE, related_name="architecture"
    )
    components = models.JSONField()

    def __str__(self) -> str:
        return f"layers of {self.base_model_id}"
