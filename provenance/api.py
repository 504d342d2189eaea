"""The verify API: public, free, without an account; nothing that is sent is kept."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from provenance import submissions, verify
from provenance.serializers import AddressSerializer, ReportSerializer, SubmissionSerializer


class VerifyView(APIView):
    """Whether this system made or altered a picture."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (submissions.VerifyThrottle,)

    @extend_schema(
        operation_id="verify",
        summary="Check a picture's marks",
        request={
            "multipart/form-data": SubmissionSerializer,
            "application/json": AddressSerializer,
        },
        responses={
            200: ReportSerializer,
            400: OpenApiResponse(description="Neither file nor address (`file_missing`)."),
            413: OpenApiResponse(
                description="`file_too_large`, `url_body_too_large` or `too_many_pixels`."
            ),
            415: OpenApiResponse(description="`not_a_picture` or `picture_animated`."),
            422: OpenApiResponse(
                description="`picture_unreadable`, `picture_empty`, `picture_too_small`, "
                "`url_refused` or `url_unreachable`."
            ),
            429: OpenApiResponse(description="`throttled`: too many checks from one address."),
        },
    )
    def post(self, request: Request) -> Response:
        """Send a PNG, JPEG or WebP file, or its address: five verdicts; nothing is kept."""
        data = submissions.receive(request._request)
        return Response(verify.check(data, at=timezone.now()).as_json())
