"""The verify API: public, free, without an account; nothing sent is kept."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from config.core.api.problem_schema import problems
from config.core.api.view import ApiView
from provenance.verify import examination, sightings, signed_reports, submitted_files
from provenance.verify.verify_serializers import (
    AddressSerializer,
    SubmissionSerializer,
    VerifyReportSerializer,
)

# A browser's session plays no part here; a key, the first of the ways in, has a limit of its own.
KEYS_ONLY = api_settings.DEFAULT_AUTHENTICATION_CLASSES[:1]


class VerifyView(ApiView):
    """Whether this system made or altered a picture."""

    key_scope = "verify"
    authentication_classes = KEYS_ONLY  # type: ignore[assignment] # the stubs say names
    permission_classes = (AllowAny,)
    throttle_classes = (submitted_files.VerifyThrottle,)

    @extend_schema(
        operation_id="verify",
        summary="Check a picture's marks",
        request={
            "multipart/form-data": SubmissionSerializer,
            "application/json": AddressSerializer,
        },
        responses={
            200: VerifyReportSerializer,
            **problems(
                _400="Neither file nor address (`file_missing`), or both (`two_subjects`).",
                _413="`file_too_large`, `url_body_too_large`, `too_many_pixels` or "
                "`picture_too_costly`.",
                _415="`not_a_picture` or `picture_animated`, and no credentials of it are read.",
                _422="`picture_unreadable`, `picture_empty`, `picture_too_small`, "
                "`url_refused` or `url_unreachable`.",
                _503="`busy`: wait `Retry-After` seconds.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Send a PNG, JPEG, WebP, AVIF or HEIC, or its address: five verdicts; nothing is kept.

        Of an MP4, GIF, TIFF, SVG, PDF or animation the Content Credentials are read. Pixel marks
        are looked for in still pictures: `width` and `height` are 0 then.
        """
        data = submitted_files.receive(request._request)
        report = examination.check(data, at=timezone.now())
        words = {
            "signed_report": signed_reports.sign(report),
            "sighting": sightings.of_report(report, at=timezone.now()),
        }
        return Response(report.as_json() | words)
