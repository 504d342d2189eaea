"""What the owner says of an upload."""

from __future__ import annotations

from typing import Any

from django import forms

from adapters.models import BaseModel
from adapters.uploads.owner_actions import Details


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
