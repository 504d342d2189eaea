"""The form of an appeal by whoever holds a public address."""

from django import forms

from moderation.models.appeals import GROUNDS_MAX


class PublicAppealForm(forms.Form):
    """Both are optional: whoever hears it sees what was decided and what was asked for, and whoever
    lodged it reads the outcome at the same address.
    """

    grounds = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=GROUNDS_MAX,
        required=False,
        label="Why is the decision wrong?",
        help_text="Not needed: whoever hears it sees what was decided. It helps if something "
        "could be misread.",
    )
    email = forms.EmailField(
        required=False,
        label="E-mail for receipt and outcome",
        help_text="Forgotten once the outcome is sent. Without it, this page shows the outcome.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
