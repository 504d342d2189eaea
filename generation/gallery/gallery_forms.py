"""Forms of the gallery: what it is narrowed by, and how far a variation departs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from generation.models import GeneratedImage, ImageState
from generation.request_rules.parameters import STRENGTH_RANGE, USUAL_STRENGTH


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
    """Narrows the gallery; unknown values narrow nothing."""

    text = forms.CharField(
        label="Prompt contains", required=False, max_length=200, widget=forms.TextInput
    )
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "Any state"), *ImageState.choices]
    )
    model = forms.ChoiceField(label="Model", required=False)

    def __init__(self, *args: Any, models: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["model"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Any model"), *models]

    def narrow(self, images: QuerySet[GeneratedImage]) -> QuerySet[GeneratedImage]:
        wanted = self.cleaned_data if self.is_valid() else {}
        if text := wanted.get("text"):
            images = images.filter(prompt__icontains=text)
        if state := wanted.get("state"):
            images = images.filter(state=state)
        if model := wanted.get("model"):
            images = images.filter(model_slug=model)
        return images
