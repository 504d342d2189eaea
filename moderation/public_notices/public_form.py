"""The form of an appeal by whoever holds a public address."""

from django import forms

from config.core.errors import ProofsheetError
from moderation.models.appeals import GROUNDS_MAX

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class NotAForm(ProofsheetError):
    """Nothing of it would be read, and there is only one appeal: its words would be lost."""

    default_code = "not_a_form"
    default_message = "The appeal did not come as a form, so nothing was lodged."
    default_advice = "Send the form of the page; programs with a key use /api/v1/statements/."
    default_status = 415


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
