"""The page on which compliance staff take exports out."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, private_bytes, uuid_of
from config.core.projects.project_filter import ProjectField
from moderation.exports import archives, transparency_files
from moderation.models import Export

EXPORTS_A_PAGE = 50


class ExportForm(forms.Form):
    """What to take out, for which days."""

    kind = forms.ChoiceField(choices=Export.Kind.choices, label="What")
    first = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), label="From")
    last = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}),
        label="To",
        help_text="Both days are included, in UTC.",
    )
    project = ProjectField()


@require_GET
@page
def export_list(request: SignedIn) -> HttpResponse:
    """Compliance staff read which exports were made, and choose one to make."""
    today = timezone.now().date()
    return _page(request, ExportForm(initial={"first": today.replace(day=1), "last": today}))


@require_POST
@page
def export(request: SignedIn) -> HttpResponse:
    """The archive as a download; its digest goes along and stays on the page."""
    form = ExportForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    wanted = form.cleaned_data
    try:
        period = transparency_files.Period(wanted["first"], wanted["last"], wanted["project"])
        record, data = archives.make(wanted["kind"], period, by=request.user, at=timezone.now())
    except transparency_files.PeriodInvalid as error:
        return _page(request, form, error=error, status=error.status)
    answer = private_bytes(data, "application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{record.name}"'
    answer["X-Content-SHA256"] = record.sha256
    return answer


def _page(
    request: SignedIn,
    form: ExportForm,
    *,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    chosen = uuid_of(request.GET.get("project"))
    made = archives.made(by=request.user, project=chosen)[:EXPORTS_A_PAGE]
    context = {"form": form, "made": made, "chosen_project": chosen, "error": error}
    return render(request, "moderation/exports.html", context, status=status)
