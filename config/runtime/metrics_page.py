"""Prometheus metrics, for staff (in a browser or by a key) and for scrapers with METRICS_TOKEN."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django_prometheus.exports import ExportToDjangoView
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.accounts.api_keys.key_authentication import KeyAuthentication
from config.core.errors import ProofsheetError
from config.models import ApiKey


def metrics(request: HttpRequest) -> HttpResponse:
    """Anyone else is told that there is nothing here."""
    expected = settings.METRICS_TOKEN and f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    is_scraper = bool(expected) and constant_time_compare(given, str(expected))
    if not (is_scraper or _is_staff(request)):
        raise Http404
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


def _is_staff(request: HttpRequest) -> bool:
    try:
        found = MetricsKey().authenticate(Request(request))
    except (AuthenticationFailed, ProofsheetError):
        return False
    user = found[0] if found else request.user
    return user.is_active and user.is_staff


class MetricsKey(KeyAuthentication):
    """A key with the scope `operate`, for a view that is not the API's."""

    def scope_for(self, request: Request) -> str:
        return ApiKey.Scope.OPERATE
