"""Prometheus metrics, for staff in a browser and for scrapers with METRICS_TOKEN."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django_prometheus.exports import ExportToDjangoView


def metrics(request: HttpRequest) -> HttpResponse:
    """Anyone else is told that there is nothing here."""
    expected = settings.METRICS_TOKEN and f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    user = request.user
    if not (
        (expected and constant_time_compare(given, expected)) or (user.is_active and user.is_staff)
    ):
        raise Http404
    answer: HttpResponse = ExportToDjangoView(request)
    return answer
