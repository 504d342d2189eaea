"""What the page of webhooks asks for."""

from __future__ import annotations

from django import forms

from config.core.outbox.event_types import EVENT_TYPES
from config.webhooks import endpoint_addresses
from config.webhooks.models import Endpoint


class EndpointForm(forms.Form):
    """An endpoint's address and what it wants."""

    url = forms.CharField(
        label="Address",
        max_length=endpoint_addresses.LENGTH_MAX,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        help_text="Where your program listens: https, on a public host.",
    )
    description = forms.CharField(
        max_length=120, required=False, help_text="So that you know it later."
    )
    types = forms.MultipleChoiceField(
        label="Which events",
        choices=list(EVENT_TYPES.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none for all of them.",
    )


class NewEndpointForm(EndpointForm):
    """The same, and how it is signed, which stays."""

    scheme = forms.ChoiceField(label="Signed with", choices=Endpoint.Scheme.choices)
