"""The verify page, and the log as anybody may read it."""

import base64
from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.core.api import problem_documents
from config.core.api.problem_documents import CONTENT_TYPE
from config.core.errors import ProofsheetError
from config.core.gate import Busy
from provenance.log import freshness, proofs, static_api
from provenance.verify import examination, feedback, sightings, signed_reports, submitted_files

IMMUTABLE = "public, max-age=31536000, immutable"
_Page = Callable[..., HttpResponse]


def _tells_problems(view: _Page) -> _Page:
    """A named condition becomes the error page with its status; under /log/ a problem."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ProofsheetError as error:
            if problem_documents.is_for_programs(request.path_info):
                body = problem_documents.of_error(error)
                return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE)
            return render(request, "error.html", {"error": error}, status=error.status)

    return wrapped


@csrf_exempt  # it changes nothing and knows nobody, so there is nothing to forge
@require_http_methods(["GET", "HEAD", "POST"])
def verify_page(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "provenance/verify.html")
    try:
        submitted_files.throttle(request)
        report = examination.check(submitted_files.receive(request), at=timezone.now())
        sighting = sightings.of_report(report, at=timezone.now())
    except ProofsheetError as error:
        response = render(request, "provenance/verify.html", {"error": error}, status=error.status)
        if isinstance(error, Busy):
            response["Retry-After"] = str(error.retry_after_s)
    else:
        told = base64.b64encode(signed_reports.sign(report).encode()).decode()
        preview = base64.b64encode(report.preview).decode()
        context = {"report": report, "download": told, "sighting": sighting, "preview": preview}
        response = render(request, "provenance/verify.html", context)
    add_never_cache_headers(response)
    return response


@csrf_exempt  # nobody is logged in here, so nobody's rights can be borrowed
@require_POST
@_tells_problems
def give_feedback(request: HttpRequest) -> HttpResponse:
    submitted_files.throttle(request)
    feedback.give(
        answer=request.POST.get("answer", ""),
        is_ours=request.POST.get("is_ours") == "True",
        comment=request.POST.get("comment", ""),
        at=timezone.now(),
    )
    return render(request, "provenance/verify.html", {"is_thanked": True})


@require_GET
@_tells_problems
def checkpoint(request: HttpRequest) -> HttpResponse:
    note = freshness.latest_note()
    response = HttpResponse(note, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@require_GET
@_tells_problems
def log_keys(request: HttpRequest) -> HttpResponse:
    """The log's verifier keys (C2SP signed-note), one a line, the newest first."""
    lines = "".join(f"{key}\n" for key in proofs.verifier_keys())
    response = HttpResponse(lines, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@require_GET
@_tells_problems
def hash_tile(
    request: HttpRequest, level: str, number: str, width: str | None = None
) -> HttpResponse:
    wide = int(width) if width else static_api.WIDTH
    return _tile(static_api.hash_tile(int(level), static_api.number_from_path(number), wide))


@require_GET
@_tells_problems
def entry_bundle(request: HttpRequest, number: str, width: str | None = None) -> HttpResponse:
    wide = int(width) if width else static_api.WIDTH
    return _tile(static_api.entry_bundle(static_api.number_from_path(number), wide))


def _tile(data: bytes) -> HttpResponse:
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Cache-Control"] = IMMUTABLE
    return response


@require_GET
@_tells_problems
def log_entry(request: HttpRequest, index: int) -> HttpResponse:
    return render(request, "provenance/log_entry.html", {"entry": proofs.describe(index)})


@require_GET
@_tells_problems
def asset_proof(request: HttpRequest, asset_id: UUID) -> HttpResponse:
    text = proofs.of_asset(asset_id)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{asset_id}.tlog-proof"'
    return response
