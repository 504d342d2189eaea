"""What anyone is told while the database, the cache or the broker cannot answer."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views import defaults
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from config.problems import CONTENT_TYPE

CODE = "unavailable"
TITLE = "Proofsheet cannot reach a part of itself for a moment."
ADVICE = "Nothing is lost. Try again in some seconds; if it lasts, tell the operator."
RETRY_AFTER_S = "10"
OUTAGES = (OperationalError, InterfaceError, RedisError, BrokerError)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for whatever no view has caught: 503 in an outage, else its own 500."""
    if not isinstance(sys.exc_info()[1], OUTAGES):
        return defaults.server_error(request)
    response: HttpResponse
    if request.path.startswith("/api/"):
        body = {"type": f"/problems/{CODE}", "title": TITLE, "status": 503, "code": CODE}
        response = JsonResponse(body | {"detail": ADVICE}, content_type=CONTENT_TYPE)
    else:
        words = {"title": TITLE, "advice": ADVICE, "code": CODE}
        response = HttpResponse(loader.get_template("503.html").render(words))
    response.status_code = 503
    response["Retry-After"] = RETRY_AFTER_S
    return response
