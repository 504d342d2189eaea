"""Report a public picture, and read the receipt: for anybody, with an account or without."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, problem
from moderation.appeals import hearing
from moderation.reports import report_limits, report_status, reporting
from moderation.reports.report_form import ReportForm
from moderation.reports.reporting import SentReport
from moderation.statements.contest_form import ContestForm
from moderation.subjects import reportable_pictures

REPORTS_A_LIST = 100
ForAnybody = Callable[..., HttpResponse]


def _for_anybody(view: ForAnybody) -> ForAnybody:
    """A domain error becomes the error page; caches keep nothing, search engines find nothing."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except ProofsheetError as error:
            response = problem(request, error)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


@require_http_methods(["GET", "POST"])
@_for_anybody
def report(request: HttpRequest) -> HttpResponse:
    """On GET the form for whoever has seen the picture, or how to show it; on POST the report, and
    then its receipt.
    """
    sender = report_limits.sender_of(request)
    has_account = sender.user is not None
    if request.method != "POST":
        return _start(request, has_account=has_account)
    form = ReportForm(request.POST, has_account=has_account)
    if not form.is_valid():
        return _form(request, form, status=422)
    sent = SentReport(**form.cleaned_data)
    try:
        report_limits.throttle(request)
        report = reporting.submit(sent, sender=sender, at=timezone.now())
    except reportable_pictures.PictureNotPublic:
        raise
    except ProofsheetError as error:
        return _form(request, form, error=error, status=error.status)
    messages.success(request, "Your report was received. A person looks at it.")
    return redirect(report)


@_for_anybody
def report_by_number(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """A number alone reports nothing and asks nothing: every one leads to the same page."""
    return redirect("moderation:report", preserve_request=True)


@require_GET
@_for_anybody
def receipt(request: HttpRequest, receipt_key: UUID) -> HttpResponse:
    """Whoever holds the receipt reads what became of the report."""
    return _receipt(request, receipt_key, ContestForm())


@require_POST
@_for_anybody
def lodge(request: HttpRequest, receipt_key: UUID) -> HttpResponse:
    """Appeal against the decision that the picture stays."""
    report = reporting.find(receipt_key)
    form = ContestForm(request.POST)
    if not form.is_valid():
        return _receipt(request, receipt_key, form, status=422)
    try:
        grounds = form.cleaned_data["grounds"]
        hearing.lodge_for_report(report, grounds=grounds, at=timezone.now())
    except ProofsheetError as error:
        return _receipt(request, receipt_key, form, error=error, status=error.status)
    messages.success(request, "Your appeal is lodged. Somebody who did not decide will hear it.")
    return redirect(report)


@require_GET
@page
def mine(request: SignedIn) -> HttpResponse:
    """The reports that somebody made while signed in."""
    found = reporting.of_notifier(by=request.user)[:REPORTS_A_LIST]
    context = {"receipts": [report_status.receipt(report) for report in found]}
    return render(request, "moderation/report_sent.html", context)


def _start(request: HttpRequest, *, has_account: bool) -> HttpResponse:
    """The empty form where the address carries a sighting; otherwise the way to one."""
    sighting = request.GET.get("sighting", "")
    if not sighting:
        return render(request, "moderation/report_show.html")
    reportable_pictures.find(reporting.seen(sighting, at=timezone.now()))
    return _form(request, ReportForm(initial={"sighting": sighting}, has_account=has_account))


def _form(
    request: HttpRequest,
    form: ReportForm,
    *,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "error": error}
    return render(request, "moderation/report.html", context, status=status)


def _receipt(
    request: HttpRequest,
    receipt_key: UUID,
    form: ContestForm,
    *,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    found = report_status.receipt(reporting.find(receipt_key))
    context = {
        "receipt": found,
        "is_contestable": found.is_contestable(at=timezone.now()),
        "form": form,
        "error": error,
    }
    return render(request, "moderation/report_receipt.html", context, status=status)
