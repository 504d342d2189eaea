"""The verify page: what this system knows about a picture, and whether the answer was right."""

import base64

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from config.core.errors import ProofsheetError
from config.core.gate import Busy
from config.core.pages import public_page
from provenance.verify import examination, feedback, sightings, signed_reports, submitted_files


@csrf_exempt  # it changes nothing and knows nobody, so there is nothing to forge
@require_http_methods(["GET", "HEAD", "POST"])
def verify_page(request: HttpRequest) -> HttpResponse:
    """Anybody asks whether a picture is of this system, by file or address; five verdicts."""
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
@public_page
def give_feedback(request: HttpRequest) -> HttpResponse:
    """Whoever read a verdict says whether it was right; they get thanks."""
    submitted_files.throttle(request)
    feedback.give(
        answer=request.POST.get("answer", ""),
        is_ours=request.POST.get("is_ours") == "True",
        comment=request.POST.get("comment", ""),
        at=timezone.now(),
    )
    return render(request, "provenance/verify.html", {"is_thanked": True})
