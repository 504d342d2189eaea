"""How the API's schema describes an error, for every room."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from config.core.api.problem_documents import CONTENT_TYPE
from config.core.api.strict_serializers import StrictSerializer


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
    """What `HouseSchema` cannot know of an operation, by status: `problems(_409="…")`."""
    return {
        (int(status[1:]), CONTENT_TYPE): OpenApiResponse(ProblemSerializer, why)
        for status, why in said.items()
    }


ANYWHERE = {
    400: "Something that was sent is not valid, or not known here.",
    406: "`Accept` names nothing that it comes in.",
    429: "Too much at once: wait `Retry-After` seconds.",
    503: "A part of the house is away for a moment: try again after `Retry-After` seconds.",
}
FOR_ACCOUNTS = {401: "Not signed in.", 403: "This account, or this key, may not do that."}
OF_A_BODY = {413: "The body is too large.", 415: "A body of that kind is not taken here."}
OF_A_THING = {404: "There is no such thing, or you may not see it."}


class HouseSchema(AutoSchema):
    """Adds to every operation the problems that any operation of its kind can answer."""

    def get_request_serializer(self) -> Any:
        """A body is taken where `extend_schema(request=…)` declares one, nowhere else."""
        return None

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        answers: dict[str, Any] = super()._get_response_bodies(direction)
        for status, why in self._usual().items():
            if str(status) not in answers:
                answers[str(status)] = self._shared(status, why, direction)
        return dict(sorted(answers.items()))

    def _shared(self, status: int, why: str, direction: Any) -> dict[str, str]:
        """One component for all operations that answer it."""
        said = OpenApiResponse(ProblemSerializer, why)
        described: Any = self._get_response_for_code  # has no types
        component = ResolvedComponent(
            name=f"Problem{status}",
            type=ResolvedComponent.RESPONSE,
            object=f"problem {status}",
            schema=described(said, str(status), [CONTENT_TYPE], direction),
        )
        self.registry.register_on_missing(component)
        found: dict[str, str] = component.ref
        return found

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        mapped: Any = super()._map_basic_serializer  # has no types
        schema: dict[str, Any] = mapped(serializer, direction)
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema

    def _usual(self) -> dict[int, str]:
        found = dict(ANYWHERE)
        if self.view.get_authenticators():
            found |= FOR_ACCOUNTS
        if self.method not in ("GET", "HEAD"):
            found |= OF_A_BODY
        if "{" in self.path:
            found |= OF_A_THING
        return found
