"""The LoRA adapters that fit the base models: uploads, those fitted from them, and shipped ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from adapters.models.adapter_share import AdapterShare
from adapters.models.base_model import BaseModel
from adapters.models.conditions import AdapterWrongState
from config.core import events
from config.core.ownership import Person, ProjectRows, within
from config.core.projects import columns
from config.core.storage import private_storage

REFUSED = "adapter_refused"  # the code of a moderator's refusal
STOPPED = "adapter_withdrawn"  # of a moderator's withdrawal, after which it comes back as it was


class AdapterRows(ProjectRows["Adapter"]):
    """Adapters, by who may look at them and who may render with them."""

    def visible_to(self, user: Person) -> Self:
        """Published ones, those of the person's projects, and those shared by a link that they
        opened."""
        published = Q(state=Adapter.State.PUBLISHED, visibility=Adapter.Visibility.PUBLIC)
        if not user.pk:
            return self.filter(published)
        opened = AdapterShare.objects.filter(user_id=user.pk, share_key=F("adapter__share_key"))
        by_link = Q(
            state=Adapter.State.ACCEPTED,
            visibility=Adapter.Visibility.LINK,
            pk__in=opened.values("adapter_id"),
        )
        return self.filter(published | by_link | within("project", user))

    def usable(self) -> Self:
        """Those that the check accepted and nobody took back."""
        return self.filter(state__in=(Adapter.State.ACCEPTED, Adapter.State.PUBLISHED))


class Adapter(models.Model):
    """A LoRA adapter for one base model; `owner` is null for those that ship with the project.

    `file` is what the renderer loads: the canonical form of an upload, whose own bytes are
    `original`. `sha256` and `size_bytes` are those of the upload, `content_sha256` that of its
    layers however they were written. `base_model` and `rank` are null until the upload is
    validated.
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
    project = columns.project(null=True, blank=True)
    file = models.FileField(
        storage=private_storage, upload_to="adapters", max_length=200, blank=True
    )
    original = models.FileField(storage=private_storage, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    content_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
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

    objects = AdapterRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "project", "base_model", "sha256"],
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
    def was_never_usable(self) -> bool:
        """Turned away by the check: no picture was made with it, and nobody decided about it."""
        return self.state == self.State.REJECTED and not self.is_refused

    @property
    def is_on_its_way(self) -> bool:
        return self.state in (self.State.UPLOADED, self.State.VALIDATING)

    def _move(self, to: State) -> None:
        if to not in self.TRANSITIONS[self.State(self.state)]:
            raise AdapterWrongState
        self.state = to

    def start_validating(self) -> None:
        self._move(self.State.VALIDATING)
        self.save()

    def accept(
        self,
        *,
        base_model: BaseModel,
        rank: int,
        file: str,
        content_sha256: str,
        report: dict[str, Any],
        at: datetime,
    ) -> None:
        self._move(self.State.ACCEPTED)
        self.base_model, self.rank, self.file = base_model, rank, file
        self.content_sha256 = content_sha256
        self.report, self.code, self.validated_at = report, "", at
        self.save()
        self._tell("accepted")

    def reject(self, *, code: str, report: dict[str, Any], at: datetime) -> None:
        self._move(self.State.REJECTED)
        self.code, self.report, self.validated_at = code, report, at
        self.save()
        self._tell("rejected")

    def _tell(self, what: str) -> None:
        """The project's programs, of the check's verdict."""
        url = settings.PUBLIC_URL + reverse("api-adapter", args=[self.slug])
        said = {"adapter_id": str(self.id), "slug": self.slug, "code": self.code, "url": url}
        events.tell(self.project_id, f"adapter.{what}", said)

    def upload_again(self) -> None:
        self._move(self.State.UPLOADED)
        self.code, self.report, self.validated_at = "", {}, None
        self.save()

    def ask_for_review(self, *, at: datetime) -> None:
        if self.state != self.State.ACCEPTED:
            raise AdapterWrongState
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
            raise AdapterWrongState
        self.visibility, self.share_key = visibility, uuid4()
        self.save()

    def withdraw(self, *, at: datetime) -> None:
        self._move(self.State.WITHDRAWN)
        self.withdrawn_at, self.review_asked_at = at, None
        self.visibility = self.Visibility.PRIVATE
        self.save()
