"""The form that reports a public picture. What is wrong with words, the domain says."""

from typing import Any, cast

from django import forms

from moderation.cases import reported
from moderation.reports import reporting
from provenance.verify import sightings


class ReportForm(forms.Form):
    """A report of a public picture; people with an account are told under theirs."""

    sighting = forms.CharField(
        max_length=sightings.CHARACTERS_MAX, required=False, widget=forms.HiddenInput
    )
    category = forms.ChoiceField(label="What is wrong with it?")
    explanation = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=reporting.WORDS_MAX,
        label="Why should it not be here?",
        help_text="Say it so that somebody who knows nothing of it understands.",
    )
    name = forms.CharField(max_length=150, required=False, label="Your name")
    email = forms.EmailField(
        required=False,
        label="Your e-mail address",
        help_text="To tell you the decision. Nobody else learns it.",
    )
    is_in_good_faith = forms.BooleanField(
        label="I believe in good faith that what I say here is accurate and complete."
    )

    def __init__(self, *args: Any, has_account: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Choose one"), *reported.grounds().items()]
        cast(forms.ChoiceField, self.fields["category"]).choices = choices
        if has_account:
            del self.fields["name"], self.fields["email"]
