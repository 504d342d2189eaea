"""Pictures that are made with an adapter before it becomes public."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import Q

from adapters.models.adapter import Adapter
from adapters.models.conditions import AdapterWrongState
from config.core.storage import private_storage


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
            raise AdapterWrongState
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
