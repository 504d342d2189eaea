from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from config.accounts.api_keys import key_issuing


class KeyForm(forms.Form):
    """What a new key is called, may do, and when it ends; offers what `by` may have."""

    name = forms.CharField(
        max_length=80, help_text="So that you know it later: the program, or where it runs."
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )
    days = forms.TypedChoiceField(
        label="Ends after",
        coerce=int,
        choices=[(days, f"{days} days") for days in key_issuing.LIFETIMES_DAYS],
        initial=90,
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(scope.value, scope.label) for scope in key_issuing.scopes_for(by)]
        field.initial = [key_issuing.Scope.READ, key_issuing.Scope.GENERATE]
