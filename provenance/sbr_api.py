"""The C2PA Soft Binding Resolution API: public, free, without an account; nothing is kept."""

import base64
import binascii
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from provenance import soft_bindings, submissions
from provenance.api_view import ApiView
from provenance.errors import ProofsheetError
from provenance.serializers import SubmissionSerializer
from provenance.soft_bindings import MOST_RESULTS, ManifestMatch
from provenance.strict import StrictSerializer


class BindingUnreadable(ProofsheetError):
    default_code = "soft_binding_unreadable"
    default_message = "The value of the soft binding is not text in base64."
    default_advice = "Send the manifest's own value, encoded with standard base64."
    default_status = 400


class SoftBindingQuerySerializer(StrictSerializer):
    alg = serializers.CharField(max_length=100, help_text="soft binding algorithm")
    value = serializers.CharField(
        max_length=soft_bindings.MOST_VALUE_CHARACTERS, help_text="the binding's value in base64"
    )
    maxResults = serializers.IntegerField(default=10, min_value=1, max_value=MOST_RESULTS)  # noqa: N815 - the specification's name


class ManifestQuerySerializer(StrictSerializer):
    returnActiveManifest = serializers.BooleanField(  # noqa: N815 - the specification's name
        default=False, help_text="no difference here"
    )


class ManifestMatchSerializer(serializers.Serializer[Any]):
    manifestId = serializers.UUIDField()  # noqa: N815 - the specification's name
    similarityScore = serializers.IntegerField()  # noqa: N815 - the specification's name


class ManifestMatchesSerializer(serializers.Serializer[Any]):
    matches = ManifestMatchSerializer(many=True)


class SoftBindingAlgorithmSerializer(serializers.Serializer[Any]):
    alg = serializers.CharField()


class SupportedAlgorithmsSerializer(serializers.Serializer[Any]):
    watermarks = SoftBindingAlgorithmSerializer(many=True)
    fingerprints = SoftBindingAlgorithmSerializer(many=True)


class PublicView(ApiView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (submissions.VerifyThrottle,)


class ByBindingView(PublicView):
    @extend_schema(
        operation_id="sbr_by_binding_get",
        summary="Manifests that carry a soft binding",
        parameters=[SoftBindingQuerySerializer],
        responses={
            200: ManifestMatchesSerializer,
            400: OpenApiResponse(description="`invalid`, …"),
        },
    )
    def get(self, request: Request) -> Response:
        """Look a watermark's identifier or an ISCC up."""
        return self._answer(request.query_params)

    @extend_schema(
        operation_id="sbr_by_binding_post",
        summary="Manifests that carry a soft binding, for long values",
        request=SoftBindingQuerySerializer,
        responses={
            200: ManifestMatchesSerializer,
            400: OpenApiResponse(description="`invalid`, …"),
        },
    )
    def post(self, request: Request) -> Response:
        """The same with the query in the body."""
        return self._answer(request.data)

    def _answer(self, data: Any) -> Response:
        query = SoftBindingQuerySerializer(data=data)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        found = soft_bindings.by_value(
            asked["alg"], _decoded(asked["value"]), limit=asked["maxResults"]
        )
        return _matches(found)


class ByContentView(PublicView):
    @extend_schema(
        operation_id="sbr_by_content",
        summary="The manifest that a picture's own marks lead to",
        request={"multipart/form-data": SubmissionSerializer},
        responses={
            200: ManifestMatchesSerializer,
            415: OpenApiResponse(description="`not_a_picture`"),
        },
    )
    def post(self, request: Request) -> Response:
        """Send a picture, a screenshot or a crop; it is looked at in memory and forgotten."""
        return _matches(soft_bindings.by_content(submissions.receive(request._request)))


class ManifestView(PublicView):
    @extend_schema(
        operation_id="sbr_manifest",
        summary="A manifest store",
        parameters=[ManifestQuerySerializer],
        responses={
            (200, "application/c2pa"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="`no_such_manifest`"),
        },
    )
    def get(self, request: Request, manifest_id: UUID) -> HttpResponse:
        """The manifest store as it was signed; the one asked for is its active one."""
        return HttpResponse(soft_bindings.manifest_of(manifest_id), content_type="application/c2pa")


class SupportedAlgorithmsView(PublicView):
    @extend_schema(
        operation_id="sbr_supported_algorithms",
        summary="Soft binding algorithms of this repository",
        responses=SupportedAlgorithmsSerializer,
    )
    def get(self, request: Request) -> Response:
        """What can be looked up here."""
        return Response(
            {
                "watermarks": [{"alg": name} for name in soft_bindings.WATERMARKS],
                "fingerprints": [{"alg": name} for name in soft_bindings.FINGERPRINTS],
            }
        )


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BindingUnreadable from error


def _matches(found: list[ManifestMatch]) -> Response:
    told = [{"manifestId": str(each.manifest_id), "similarityScore": each.score} for each in found]
    return Response({"matches": told})
