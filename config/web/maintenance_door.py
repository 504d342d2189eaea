"""Turns everybody away while the house is being looked after, but for probes and metrics."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.template import loader

from config.core.api import problem_documents, problem_handler
from generation.requests import maintenance

OPEN = "/metrics"


class MaintenanceDoor:
    """A middleware before sessions and accounts; static files come past it, for the page's sake."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == OPEN or not is_closed():
            return self._get_response(request)
        error = maintenance.UnderMaintenance()
        if problem_documents.is_for_programs(request.path_info):
            problem = problem_documents.of_error(error)
            response = problem_handler.error_response(request.path_info, problem)
        else:
            page = loader.get_template("error.html").render({"error": error})
            response = HttpResponse(page, status=error.status)
        response["Retry-After"] = str(error.retry_after_s)
        response["Cache-Control"] = "no-store"
        response._has_been_logged = True  # type: ignore[attr-defined] # Django's: else each is an error
        return response


def is_closed() -> bool:
    """With the database away every page says so itself."""
    try:
        return maintenance.is_on()
    except (DatabaseError, InterfaceError):
        return False
