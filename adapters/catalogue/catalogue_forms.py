"""What narrows the catalogue."""

from __future__ import annotations

from typing import Any

from django import forms

from adapters.access.visibility import Search
from adapters.models import BaseModel

RANKS = (4, 8, 16, 32, 64, 128)
SORTS = [("newest", "Newest first"), ("name", "By name"), ("rank", "By rank"), ("size", "By size")]
WHOSE = [("", "Anyone’s"), ("mine", "Only mine"), ("shared", "Only others’")]


class CatalogueFilter(forms.Form):
    """Narrows the catalogue; unknown values narrow nothing."""

    text = forms.CharField(label="Name, trigger word or tag", required=False, max_length=200)
    model = forms.ChoiceField(label="Model", required=False)
    rank_max = forms.TypedChoiceField(
        label="Rank",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "Any rank"), *((rank, f"Rank up to {rank}") for rank in RANKS)],
    )
    whose = forms.ChoiceField(label="Whose", required=False, choices=WHOSE)
    sort = forms.ChoiceField(label="Order", required=False, choices=SORTS)
    project = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, models: list[BaseModel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["model"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Any model"), *((model.slug, model.name) for model in models)]

    def wanted(self) -> dict[str, Any]:
        """The valid values that say something."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def search(self) -> Search:
        return Search(**self.wanted())
