"""The form that contests a statement of reasons, or what became of a report."""

from django import forms

from moderation.models.appeals import GROUNDS_MAX


class ContestForm(forms.Form):
    """What the appellant says."""

    grounds = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=GROUNDS_MAX,
        label="Why is the decision wrong?",
        help_text="Say what you meant and anything that whoever hears it should know.",
    )
