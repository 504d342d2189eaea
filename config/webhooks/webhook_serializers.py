"""What the API of webhooks takes and says."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from config.core.api.paging import page_of
from config.core.api.strict_serializers import StrictSerializer
from config.core.outbox.event_types import EVENT_TYPES
from config.webhooks import endpoint_addresses, signing_secrets
from config.webhooks.models import Delivery, Endpoint

SHOWN_REASONS = [
    each for each in Endpoint.OffBecause.choices if each[0] != Endpoint.OffBecause.DELETED
]
TYPES_HELP = "Which events it wants; all when empty."


class EndpointAskSerializer(StrictSerializer):
    """A new endpoint."""

    url = serializers.CharField(
        max_length=endpoint_addresses.LENGTH_MAX, help_text="https, on a public host."
    )
    types = serializers.ListField(
        child=serializers.ChoiceField(choices=list(EVENT_TYPES)),
        required=False,
        max_length=len(EVENT_TYPES),
        help_text=TYPES_HELP,
    )
    description = serializers.CharField(max_length=120, required=False, allow_blank=True)
    scheme = serializers.ChoiceField(choices=Endpoint.Scheme.choices, required=False)


class EndpointChangeSerializer(StrictSerializer):
    """What is to change; what is left out stays."""

    url = serializers.CharField(max_length=endpoint_addresses.LENGTH_MAX, required=False)
    types = serializers.ListField(
        child=serializers.ChoiceField(choices=list(EVENT_TYPES)),
        required=False,
        max_length=len(EVENT_TYPES),
        help_text=TYPES_HELP,
    )
    description = serializers.CharField(max_length=120, required=False, allow_blank=True)
    is_on = serializers.BooleanField(required=False)


class EndpointSerializer(serializers.Serializer[Any]):
    """An endpoint. `off_because` says why it is off; `failing_since` that it fails just now."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    types = serializers.ListField(child=serializers.CharField())
    scheme = serializers.ChoiceField(choices=Endpoint.Scheme.choices)
    public_keys = serializers.SerializerMethodField(
        help_text="Of `v1a`: what verifies now, the newest first."
    )
    is_on = serializers.BooleanField()
    off_because = serializers.ChoiceField(choices=SHOWN_REASONS, allow_blank=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    made_at = serializers.DateTimeField()

    def get_public_keys(self, endpoint: Endpoint) -> list[str]:
        return signing_secrets.public_keys_of(endpoint, at=timezone.now())


class SecretSerializer(serializers.Serializer[Any]):
    """What verifies from now on, shown this once: `whsec_…`, or of a key pair `whpk_…`."""

    secret = serializers.CharField()


class NewEndpointSerializer(EndpointSerializer):
    secret = serializers.CharField(help_text="Shown this once: `whsec_…`, or `whpk_…`.")


class DeliveryAttemptSerializer(serializers.Serializer[Any]):
    """One attempt. Of the answer its status alone is kept."""

    sent_at = serializers.DateTimeField()
    took_ms = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="Null: no answer came.")
    problem = serializers.CharField(help_text="The code of what went wrong instead.")


class DeliverySerializer(serializers.Serializer[Any]):
    """An event on its way to the endpoint; `event_id` is sent as `webhook-id`."""

    id = serializers.UUIDField()
    event_id = serializers.CharField()
    type = serializers.CharField()
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    body = serializers.CharField(help_text="What is sent, to the letter.")
    written_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="When it is sent next, while it waits.")
    attempts = DeliveryAttemptSerializer(source="tries", many=True)


DeliveryPageSerializer = page_of(DeliverySerializer)
