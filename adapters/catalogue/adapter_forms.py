"""Forms of the catalogue and of an upload."""

from __future__ import annotations

from typing import Any

from django import forms

from adapters.access.visibility import Search
from adapters.models import BaseModel
from adapters.uploads.owner_actions import Details

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


class PublishForm(forms.Form):
    """What the owner says when asking for an adapter to become public."""

    licence = forms.CharField(required=False, max_length=200)
    has_consent = forms.BooleanField(required=False)


class UploadForm(forms.Form):
    """What the owner says of an upload; the file itself goes by the quarantine."""

    name = forms.CharField(
        label="Name", required=False, max_length=120, help_text="Else the file’s own name."
    )
    model = forms.ChoiceField(label="Made for", required=False)
    trigger = forms.CharField(
        label="Trigger words",
        required=False,
        max_length=120,
        help_text="The words that call the style, if it was trained with some.",
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    tags = forms.CharField(
        label="Tags", required=False, max_length=300, help_text="Separated by commas."
    )
    licence = forms.CharField(label="Licence", required=False, max_length=200)
    shows_a_person = forms.BooleanField(label="It shows a real person", required=False)
    has_consent = forms.BooleanField(label="That person has consented", required=False)

    def __init__(self, *args: Any, models: list[BaseModel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["model"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", "Find out from the file"),
            *((model.slug, model.name) for model in models),
        ]

    def details(self) -> Details:
        said = self.cleaned_data | {"tags": self.cleaned_data["tags"].split(",")}
        return Details(**said)
