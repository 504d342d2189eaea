"""Base models that operators register, and the LoRA adapters that fit them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import storages
from django.core.files.storage.base import Storage
from django.db import models
from django.db.models import Q
from django.urls import reverse

from adapters.shares import AdapterShare as AdapterShare
from provenance.errors import ProofsheetError


def private_storage() -> Storage:
    """Storage that no URL serves: adapter files leave it only through a view that checks."""
    return storages["private"]


REFUSED = "adapter_refused"  # the code of a moderator's refusal
STOPPED = "adapter_withdrawn"  # of a moderator's withdrawal, after which it comes back as it was


class WrongState(ProofsheetError):
    """A move that the table of transitions does not have: a conflict, not a missing permission."""

    default_code = "adapter_wrong_state"
    default_status = 409
    default_message = "This adapter has already moved on, so that step is no longer possible."
    default_advice = "Reload the page to see where it stands."


class Family(models.TextChoices):
    STARTER = "starter", "Proofsheet starter"
    SD15 = "sd15", "Stable Diffusion 1.5"
    SD21 = "sd21", "Stable Diffusion 2.1"
    SDXL = "sdxl", "Stable Diffusion XL"
    FLUX = "flux", "Flux"


class Tier(models.TextChoices):
    """The hardware that a model asks for, and the Celery queue of the workers that have it."""

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

    def can_deliver(self, width: int, height: int) -> bool:
        return [width, height] in self.sizes


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


class Adapter(models.Model):
    """A LoRA adapter for one base model; `owner` is null for those that ship with the project.

    `file` is what the renderer loads: the canonical form of an upload, whose own bytes are
    `original`. `sha256` and `size_bytes` are those of the upload. `base_model` and `rank` are null
    until the upload is validated.
    """

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

    TRANSITIONS = {
        State.UPLOADED: {State.VALIDATING, State.WITHDRAWN},
        State.VALIDATING: {State.VALIDATING, State.ACCEPTED, State.REJECTED, State.WITHDRAWN},
        State.ACCEPTED: {State.PUBLISHED, State.REJECTED, State.WITHDRAWN},
        # A refusal that an appeal reversed publishes after all.
        State.REJECTED: {State.UPLOADED, State.ACCEPTED, State.PUBLISHED, State.WITHDRAWN},
        State.PUBLISHED: {State.ACCEPTED, State.REJECTED, State.WITHDRAWN},
        State.WITHDRAWN: set[State](),
    }

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    slug = models.SlugField(unique=True, max_length=64)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    trigger = models.CharField(max_length=120, blank=True, help_text="Words that call the style.")
    licence = models.CharField(max_length=200, blank=True)
    tags = models.JSONField(default=list, blank=True)
    shows_a_person = models.BooleanField(default=False, help_text="A real person's likeness.")
    consent_attested_at = models.DateTimeField(null=True, blank=True)

    base_model = models.ForeignKey(
        BaseModel, null=True, blank=True, on_delete=models.PROTECT, related_name="adapters"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE
    )
    file = models.FileField(
        storage=private_storage, upload_to="adapters", max_length=200, blank=True
    )
    original = models.FileField(storage=private_storage, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    rank = models.PositiveSmallIntegerField(null=True, blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="derived"
    )
    parent_sha256 = models.CharField(max_length=64, blank=True)

    state = models.CharField(max_length=16, choices=State.choices, default=State.UPLOADED)
    code = models.CharField(max_length=64, blank=True, help_text="Why it was rejected.")
    report = models.JSONField(default=dict, blank=True)
    visibility = models.CharField(
        max_length=16, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    share_key = models.UUIDField(default=uuid4, editable=False)
    review_asked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    validated_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "base_model", "sha256"],
                condition=~Q(state="withdrawn"),
                nulls_distinct=False,
                name="adapters_same_file_is_same_adapter",
            ),
            models.CheckConstraint(
                condition=Q(rank__isnull=True) | Q(rank__gt=0), name="adapters_rank_positive"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("accepted", "published"))
                | Q(rank__isnull=False, base_model__isnull=False) & ~Q(file=""),
                name="adapters_usable_is_complete",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(code=""), name="adapters_rejected_has_code"
            ),
            models.CheckConstraint(
                condition=Q(state="withdrawn", withdrawn_at__isnull=False)
                | ~Q(state="withdrawn") & Q(withdrawn_at__isnull=True),
                name="adapters_withdrawn_at_with_state",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("adapters:adapter", args=[self.slug])

    @property
    def is_usable(self) -> bool:
        return self.state in (self.State.ACCEPTED, self.State.PUBLISHED)

    @property
    def is_on_its_way(self) -> bool:
        return self.state in (self.State.UPLOADED, self.State.VALIDATING)

    def _move(self, to: State) -> None:
        if to not in self.TRANSITIONS[self.State(self.state)]:
            raise WrongState
        self.state = to

    def start_validating(self) -> None:
        self._move(self.State.VALIDATING)
        self.save()

    def accept(
        self, *, base_model: BaseModel, rank: int, file: str, report: dict[str, Any], at: datetime
    ) -> None:
        self._move(self.State.ACCEPTED)
        self.base_model, self.rank, self.file = base_model, rank, file
        self.report, self.code, self.validated_at = report, "", at
        self.save()

    def reject(self, *, code: str, report: dict[str, Any], at: datetime) -> None:
        self._move(self.State.REJECTED)
        self.code, self.report, self.validated_at = code, report, at
        self.save()

    def upload_again(self) -> None:
        self._move(self.State.UPLOADED)
        self.code, self.report, self.validated_at = "", {}, None
        self.save()

    def ask_for_review(self, *, at: datetime) -> None:
        if self.state != self.State.ACCEPTED:
            raise WrongState
        self.review_asked_at = at
        self.save()

    def publish(self) -> None:
        self._move(self.State.PUBLISHED)
        self.visibility, self.review_asked_at, self.code = self.Visibility.PUBLIC, None, ""
        self.save()

    def unpublish(self) -> None:
        """Back to its owner alone, by the owner's own wish."""
        self._move(self.State.ACCEPTED)
        self.visibility = self.Visibility.PRIVATE
        self.save()

    def refuse(self) -> None:
        """A moderator's refusal: nobody may use it, its owner included, until it is reversed."""
        self._move(self.State.REJECTED)
        self.visibility, self.review_asked_at, self.code = self.Visibility.PRIVATE, None, REFUSED
        self.save()

    def stop(self) -> None:
        """A moderator's withdrawal: no new request may use it until that is reversed. How widely it
        was shared is kept for then."""
        self._move(self.State.REJECTED)
        self.review_asked_at, self.code = None, STOPPED
        self.save()

    def restore(self) -> None:
        """A reversed withdrawal: it is again what it was."""
        is_public = self.visibility == self.Visibility.PUBLIC
        self._move(self.State.PUBLISHED if is_public else self.State.ACCEPTED)
        self.code = ""
        self.save()

    @property
    def is_refused(self) -> bool:
        """Whether a moderator took it from everybody, its owner included."""
        return self.code in (REFUSED, STOPPED)

    def share(self, visibility: Visibility) -> None:
        """Private, or shared by a link that is new each time."""
        if self.state != self.State.ACCEPTED:
            raise WrongState
        self.visibility, self.share_key = visibility, uuid4()
        self.save()

    def withdraw(self, *, at: datetime) -> None:
        self._move(self.State.WITHDRAWN)
        self.withdrawn_at, self.review_asked_at = at, None
        self.visibility = self.Visibility.PRIVATE
        self.save()


class AdapterExample(models.Model):
    """One picture of the fixed set that is made with an adapter on its way to the public.

    `file` is a copy of the delivered picture. `request_id` and `image_id` are ids of the room that
    renders, which knows adapters and is not known here.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SHOWN = "shown"
        HELD = "held"
        WITHHELD = "withheld"
        FAILED = "failed"

    TRANSITIONS = {
        State.WAITING: {State.SHOWN, State.HELD, State.WITHHELD, State.FAILED},
        State.SHOWN: {State.WITHHELD},
        State.HELD: {State.SHOWN, State.WITHHELD},
        State.WITHHELD: {State.SHOWN},
        State.FAILED: {State.WAITING},
    }

    adapter = models.ForeignKey(Adapter, on_delete=models.CASCADE, related_name="examples")
    position = models.PositiveSmallIntegerField()
    prompt = models.TextField()
    seed = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    is_blurred = models.BooleanField(default=False)
    is_for_adults = models.BooleanField(default=False)
    code = models.CharField(max_length=64, blank=True, help_text="Why it is not shown.")
    request_id = models.UUIDField(null=True, blank=True)
    image_id = models.UUIDField(null=True, blank=True, db_index=True)
    file = models.FileField(storage=private_storage, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["adapter", "position"], name="adapters_one_example_a_place"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "failed"), file="")
                | Q(state__in=("shown", "held", "withheld"), image_id__isnull=False) & ~Q(file=""),
                name="adapters_example_has_its_picture",
            ),
        ]

    def __str__(self) -> str:
        return f"example {self.position} of {self.adapter}"

    def _move(self, to: State, *, code: str = "") -> None:
        if to not in self.TRANSITIONS[self.State(self.state)]:
            raise WrongState
        self.state, self.code = to, code

    def send(self, request_id: UUID) -> None:
        """The picture is on its way as this request."""
        self.request_id = request_id
        self.save()

    def keep(self, *, image_id: UUID, file: str, sha256: str, state: State, code: str) -> None:
        self._move(state, code=code)
        self.image_id, self.file, self.sha256 = image_id, file, sha256
        self.save()

    def fail(self, *, code: str) -> None:
        self._move(self.State.FAILED, code=code)
        self.save()

    def wait_again(self) -> None:
        self._move(self.State.WAITING)
        self.request_id = None
        self.save()

    def show(self, *, is_blurred: bool = False, is_for_adults: bool = False) -> None:
        """Show it, or go on showing it, so."""
        if self.state != self.State.SHOWN:
            self._move(self.State.SHOWN)
        self.is_blurred, self.is_for_adults = is_blurred, is_for_adults
        self.save()

    def withhold(self, *, code: str) -> None:
        self._move(self.State.WITHHELD, code=code)
        self.save()
