"""The C2PA Soft Binding Resolution API: public, free, without an account; nothing is kept."""

import base64
import binascii
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config.core.api.problem_schema import problems
from config.core.api.view import ApiView
from config.core.errors import ProofsheetError
from provenance.soft_bindings import manifest_lookup
from provenance.soft_bindings.manifest_lookup import MOST_RESULTS, Hint, ManifestMatch
from provenance.soft_bindings.soft_binding_serializers import (
    ContentQuerySerializer,
    ManifestMatchesSerializer,
    ManifestQuerySerializer,
    MaxResultsSerializer,
    SoftBindingSerializer,
    SupportedAlgorithmsSerializer,
)
from provenance.verify import submitted_files
from provenance.verify.verify_serializers import SubmissionSerializer


class BindingUnreadable(ProofsheetError):
    """A soft binding's value that is not ASCII in standard base64."""

    default_code = "soft_binding_unreadable"
    default_message = "The value of the soft binding is not text in base64."
    default_advice = "Send the manifest's own value, encoded with standard base64."
    default_status = 400


class PublicView(ApiView):
    """For anybody, without a key; checks and look-ups share one limit for an address."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (submitted_files.VerifyThrottle,)


class ByBindingView(PublicView):
    """A validator that read a soft binding in a file asks which manifests carry it."""

    @extend_schema(
        operation_id="sbr_by_binding_get",
        summary="Manifests that carry a soft binding",
        parameters=[SoftBindingSerializer, MaxResultsSerializer],
        responses={200: ManifestMatchesSerializer},
    )
    def get(self, request: Request) -> Response:
        """Look a watermark's identifier or an ISCC up."""
        return self._answer(self.asked)

    @extend_schema(
        operation_id="sbr_by_binding_post",
        summary="Manifests that carry a soft binding, for long values",
        parameters=[MaxResultsSerializer],
        request=SoftBindingSerializer,
        responses={200: ManifestMatchesSerializer},
    )
    def post(self, request: Request) -> Response:
        """The same with the binding in the body."""
        form = SoftBindingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return self._answer(form.validated_data)

    def _answer(self, binding: dict[str, Any]) -> Response:
        value = _decoded(binding["value"])
        limit = min(self.asked["maxResults"], MOST_RESULTS)
        return _matches(manifest_lookup.by_value(binding["alg"], value, limit=limit))


class ByContentView(PublicView):
    """A validator that has only the picture asks which manifests its marks lead to."""

    @extend_schema(
        operation_id="sbr_by_content",
        summary="The manifests that a picture's own marks lead to",
        parameters=[ContentQuerySerializer],
        request={
            "image/*": OpenApiTypes.BINARY,
            "multipart/form-data": SubmissionSerializer,
        },
        responses={
            200: ManifestMatchesSerializer,
            **problems(
                _400="`file_missing`, `soft_binding_unknown` or a parameter that is not valid.",
                _415="`not_a_picture`",
                _422="A picture that cannot be read, or is too small to be looked at.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Send a picture, a screenshot or a crop, as the body itself or as a form's file; it is
        looked at in memory and forgotten.
        """
        asked, hint = self.asked, None
        if "hintAlg" in asked:
            hint = Hint(asked["hintAlg"], _decoded(asked["hintValue"]))
        found = manifest_lookup.by_content(
            submitted_files.receive_asset(request._request),
            algorithm=asked.get("alg"),
            hint=hint,
            limit=min(asked["maxResults"], MOST_RESULTS),
        )
        return _matches(found)


class ManifestView(PublicView):
    """A validator fetches the manifest store that a match named."""

    @extend_schema(
        operation_id="sbr_manifest",
        summary="A manifest store",
        parameters=[ManifestQuerySerializer],
        responses={
            (200, "application/c2pa"): OpenApiTypes.BINARY,
            **problems(_400="`manifest_id_malformed`", _404="`no_such_manifest`"),
        },
    )
    def get(self, request: Request, manifest_id: str) -> HttpResponse:
        """The manifest store as it was signed; the one asked for is its active one."""
        store = manifest_lookup.manifest_of(
            manifest_id, is_active_alone=self.asked["returnActiveManifest"]
        )
        return HttpResponse(store, content_type="application/c2pa")


class SupportedAlgorithmsView(PublicView):
    """A validator asks which soft bindings it can look up here."""

    @extend_schema(
        operation_id="sbr_supported_algorithms",
        summary="Soft binding algorithms of this repository",
        responses=SupportedAlgorithmsSerializer,
    )
    def get(self, request: Request) -> Response:
        """What can be looked up here."""
        return Response(
            {
                "watermarks": [{"alg": name} for name in manifest_lookup.WATERMARKS],
                "fingerprints": [{"alg": name} for name in manifest_lookup.FINGERPRINTS],
            }
        )


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BindingUnreadable from error


def _matches(found: list[ManifestMatch]) -> Response:
    told = [{"manifestId": each.manifest_id, "similarityScore": each.score} for each in found]
    return Response({"matches": told})
