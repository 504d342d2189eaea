"""Forms of the gallery: what it is narrowed by, what is ticked, how far a variation departs."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from config.core.pages import uuid_of
from generation.models import GeneratedImage, ImageState, RequestAdapter
from generation.request_rules.parameters import SEED_MAX, STRENGTH_RANGE, USUAL_STRENGTH

FRAMES_A_SHEET = 24
LOOKUPS = {
    "text": "prompt__icontains",
    "state": "state",
    "model": "model_slug",
    "seed": "seed",
    "since": "created_at__date__gte",
    "until": "created_at__date__lte",
}
_day = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class StrengthForm(forms.Form):
    """How far a variation may depart from the picture that it starts from."""

    strength = forms.FloatField(
        label="Strength",
        initial=USUAL_STRENGTH,
        min_value=STRENGTH_RANGE[0],
        max_value=STRENGTH_RANGE[1],
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )


class GalleryFilter(forms.Form):
    """Narrows the gallery and orders it; a value that is unknown narrows nothing."""

    text = forms.CharField(label="Prompt contains", required=False, max_length=200)
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "Any state"), *ImageState.choices]
    )
    model = forms.ChoiceField(label="Model", required=False)
    adapter = forms.ChoiceField(label="Adapter", required=False)
    size = forms.ChoiceField(label="Size", required=False)
    seed = forms.IntegerField(label="Seed", required=False, min_value=0, max_value=SEED_MAX)
    since = forms.DateField(label="Made from", required=False, widget=_day)
    until = forms.DateField(label="Made until", required=False, widget=_day)
    order = forms.ChoiceField(
        label="Order", required=False, choices=[("", "Newest first"), ("oldest", "Oldest first")]
    )

    def __init__(self, *args: Any, mine: QuerySet[GeneratedImage], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = mine.order_by()
        sizes = rows.values_list("width", "height").distinct().order_by("width", "height")
        worn = RequestAdapter.objects.filter(request__images__in=rows)
        self._offer("model", "Any model", rows.values_list("model_slug", "model_name"))
        self._offer("adapter", "Any adapter", worn.values_list("adapter__slug", "adapter__name"))
        self._offer("size", "Any size", [(f"{w}x{h}", f"{w} × {h}") for w, h in sizes])

    def _offer(self, name: str, every: str, choices: Iterable[tuple[str, str]]) -> None:
        if isinstance(choices, QuerySet):
            choices = sorted(choices.distinct(), key=itemgetter(1))
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", every), *choices]

    @property
    def given(self) -> dict[str, str]:
        """What narrows or orders, as an address says it."""
        self.is_valid()
        return {
            name: str(value) for name, value in self.cleaned_data.items() if value or value == 0
        }

    def narrow(self, images: QuerySet[GeneratedImage]) -> QuerySet[GeneratedImage]:
        """`images` that fit all that is given, in its order."""
        given = self.given
        lookups = {LOOKUPS[name]: value for name, value in given.items() if name in LOOKUPS}
        if size := given.get("size"):
            lookups |= dict(zip(("width", "height"), size.split("x"), strict=True))
        images = images.filter(**lookups)
        if adapter := given.get("adapter"):
            images = images.filter(adapters__contains=[{"slug": adapter}])
        return images.order_by("created_at", "id") if "order" in given else images


def ticked(request: HttpRequest) -> list[UUID]:
    """The ids of the frames that were ticked on the sheet."""
    return [found for text in request.POST.getlist("frame") if (found := uuid_of(text))]
