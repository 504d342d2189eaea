"""What the house knows of itself, for staff (in a browser or by a key) and for scrapers with
METRICS_TOKEN. Scrape it once: every web process tells the same.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client.exposition import choose_encoder
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.accounts.api_keys.key_authentication import KeyAuthentication
from config.core.errors import ProofsheetError
from config.core.watching.house_gauges import HOUSE
from config.models import ApiKey


def metrics(request: HttpRequest) -> HttpResponse:
    """Anyone else is told that there is nothing here."""
    expected = settings.METRICS_TOKEN and f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    is_scraper = bool(expected) and constant_time_compare(given, str(expected))
    if not (is_scraper or _is_staff(request)):
        raise Http404
    encode, kind = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(HOUSE), content_type=kind)


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
