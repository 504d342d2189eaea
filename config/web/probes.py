"""`/livez` and `/readyz`, for whoever starts, balances and restarts the web's processes.

Answered before everything else, so that a probe over plain HTTP or by a pod's own address hears the
truth and no redirect. They say which part is missing and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from config.core.errors import ProofsheetError
from config.runtime import applied_migrations, start_check
from provenance.log import own_keys

READY_FOR_S = 1.0
Answer = Callable[[HttpRequest], HttpResponse]


class Probes:
    """The outermost middleware: asks no host, session or cookie."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response
        self._readiness = of_web()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/livez":
            return _told({"alive": True}, 200)
        if request.path_info == "/readyz":
            lacking = self._readiness.lacking()
            said: dict[str, object] = {"ready": not lacking}
            return _told(said | ({"lacks": lacking} if lacking else {}), 503 if lacking else 200)
        return self._get_response(request)


class Readiness:
    """What this process lacks to serve; an answer may be `READY_FOR_S` old, but for what it lacks
    of its `own`."""

    def __init__(self, own: Callable[[], list[str]] = list) -> None:
        self._own = own
        self._asked_at_s = float("-inf")
        self._lacking: list[str] = []
        self._is_migrated = False

    def lacking(self) -> list[str]:
        """Names of parts, in the order in which they are mended: none where all are there."""
        if monotonic() - self._asked_at_s >= READY_FOR_S:
            self._lacking, self._asked_at_s = self._look(), monotonic()
        return [*self._own(), *self._lacking]

    def _look(self) -> list[str]:
        try:
            self._is_migrated = self._is_migrated or not applied_migrations.lacking()
            if not self._is_migrated:
                return ["migrations"]
            own_keys.require()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except (DatabaseError, InterfaceError):
            return ["database"]
        except ProofsheetError:
            return ["keys"]
        return []


def of_web() -> Readiness:
    """Of a process that serves pages."""
    return Readiness(lambda: [] if start_check.has_static_files() else ["static files"])


def _told(said: dict[str, object], status: int) -> HttpResponse:
    response = JsonResponse(said, status=status)
    response["Cache-Control"] = "no-store"
    return response
