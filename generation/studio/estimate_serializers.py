"""What a request would cost, and what is left of what one may use."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class UsageSerializer(serializers.Serializer[Any]):
    """What you used in the last 24 hours, and may use."""

    images = serializers.IntegerField()
    images_a_day = serializers.IntegerField()
    device_seconds = serializers.FloatField()
    device_seconds_a_day = serializers.IntegerField()
    in_flight = serializers.IntegerField()
    in_flight_max = serializers.IntegerField()


class EstimateSerializer(serializers.Serializer[Any]):
    """What a request would cost and how long it would wait if it were sent now."""

    device_ms = serializers.IntegerField()
    wait_s = serializers.FloatField(help_text="Until a worker would begin it.")
    tier = serializers.CharField()
    is_accepted = serializers.BooleanField(
        help_text="False: the wait is over the tier's budget, and it would be answered with 429."
    )
    usage = UsageSerializer()
