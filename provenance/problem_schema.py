"""How the API's schema describes an error, for every room."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

USUAL = {"_401": "Not signed in.", "_429": "Too much at once: wait `Retry-After` seconds."}


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457. `code` is stable; `title` says what happened and `detail` what to do."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(required=False)
    errors = serializers.DictField(  # type: ignore[assignment] # the API's name, not the property
        required=False, help_text="By field, when `code` is `invalid`."
    )


def problems(**said: str) -> dict[tuple[int, str], OpenApiResponse]:
    """Problem details by status for a schema: `problems(_404="…")`."""
    return {
        (int(status[1:]), "application/problem+json"): OpenApiResponse(ProblemSerializer, why)
        for status, why in (USUAL | said).items()
    }
