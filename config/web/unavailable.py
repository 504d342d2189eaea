"""What anyone is told while the database, the cache or the broker cannot answer."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from config.core.api.problem_documents import BY_STATUS

CODE, TITLE, ADVICE = BY_STATUS[503]
RETRY_AFTER_S = "10"
OUTAGES = (OperationalError, InterfaceError, RedisError, BrokerError)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for whatever no view has caught: 503 in an outage, else its own 500.

    For programs `config.core.api.problem_handler.LastWord` says the same.
    """
    if not isinstance(sys.exc_info()[1], OUTAGES):
        return defaults.server_error(request)
    words = {"title": TITLE, "advice": ADVICE, "code": CODE}
    response = HttpResponse(loader.get_template("503.html").render(words), status=503)
    response["Retry-After"] = RETRY_AFTER_S
    return response
