"""Audits to read: the list, one report, and its files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core import events
from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, private_bytes, uuid_of
from config.core.projects.project_filter import ProjectField
from moderation.audits.audit_reports import auditors, freeze, report_decisions
from moderation.audits.audit_reports.auditors import for_auditors
from moderation.audits.models import Audit, AuditDecision, AuditRun
from moderation.audits.tables import audit_report as reports

AUDITS_A_PAGE = 30
ROWS_SHOWN = 12
TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "py": "text/plain; charset=utf-8",
    "r": "text/plain; charset=utf-8",
}


class MakeForm(forms.Form):
    """A period of real traffic to make the report of, both days included."""

    stage = forms.ChoiceField(choices=[("image", "Images"), ("prompt", "Prompts")])
    first = forms.DateField(
        label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    project = ProjectField()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if "first" in said and "last" in said and said["first"] > said["last"]:
            self.add_error("last", "The last day lies before the first.")
        return said


@require_GET
@for_auditors
def audit_list(request: SignedIn) -> HttpResponse:
    """All reports, newest first, the form that asks for one, and suites that still run."""
    return _list(request, MakeForm(initial=_last_month()))


@require_POST
@for_auditors
def make(request: SignedIn) -> HttpResponse:
    """Ask for the report of a period; a worker makes it."""
    auditors.check_compliance(request.user)
    form = MakeForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=422)
    said = form.cleaned_data
    first, last = said["first"].isoformat(), said["last"].isoformat()
    task = "moderation.audits.tasks.audit_traffic"
    of = str(said["project"] or "")
    events.send_now(task, said["stage"], first, last, request.user.pk, of)
    messages.success(request, "The audit is being made; it appears here within a minute.")
    return redirect("audits:audits")


@require_GET
@for_auditors
def audit(request: SignedIn, audit_id: UUID) -> HttpResponse:
    """One report with its tables and what was decided on it."""
    return _audit(request, freeze.find(audit_id))


@require_POST
@for_auditors
def decide(request: SignedIn, audit_id: UUID) -> HttpResponse:
    """Record what was decided on the report; what was typed comes back where that fails."""
    found = freeze.find(audit_id)
    said = {name: request.POST.get(name, "") for name in ("responsible", "decision")}
    try:
        report_decisions.record(found, by=request.user, at=timezone.now(), **said)
    except report_decisions.DecisionWordsMissing as error:
        return _audit(request, found, said=said, error=error)
    messages.success(request, "Recorded, and its digest logged. It is never changed.")
    return redirect(found)


def _audit(
    request: SignedIn,
    found: Audit,
    *,
    said: Mapping[str, str] | None = None,
    error: ProofsheetError | None = None,
) -> HttpResponse:
    made = reports.decode(found.document)
    context = {
        "audit": found,
        "decisions": found.decisions.select_related("recorded_by").order_by("id"),
        "may_decide": auditors.is_compliance(request.user),
        "said": said or {"responsible": request.user.get_full_name()},
        "error": error,
        "report": made,
        "tables": [_shown(table) for table in made.tables],
        "facts": [
            ("Period", made.period),
            ("Population", made.population),
            ("Sampling", made.sampling),
            *made.identity,
            *((f"Groups by {name}", said) for name, said in made.groups),
            ("Made by", made.responsible),
        ],
    }
    return render(request, "audits/audit.html", context, status=error.status if error else 200)


@require_GET
@for_auditors
def audit_file(request: SignedIn, audit_id: UUID, name: str) -> HttpResponse:
    """One file, as it was frozen and logged, or one of the decisions'."""
    found = freeze.find(audit_id)
    return file_of(found, name, files_of(found))


def files_of(found: Audit) -> dict[str, bytes]:
    """The report's files and the decisions'; raises freeze.AuditAltered."""
    return freeze.files_of(found) | report_decisions.files_of(found)


def file_of(found: Audit, name: str, files: Mapping[str, bytes]) -> HttpResponse:
    """One of them to download; raises freeze.AuditNotFound for a file that there is none of."""
    if name not in files:
        raise freeze.AuditNotFound(message="This audit has no such file.")
    kind = name.rsplit(".", 1)[-1]
    answer = private_bytes(files[name], TYPES[kind])
    if kind != "svg":
        part = "-decisions" if name.startswith("decisions") else ""
        answer["Content-Disposition"] = f'attachment; filename="audit-{found.id}{part}.{kind}"'
    return answer


def _shown(table: reports.Table) -> dict[str, Any]:
    """Long tables are folded away until somebody asks for them; the first one never is."""
    sheet = reports.sheet(table)
    names = sheet.names
    rows = [
        {
            "names": row[:names],
            "cells": list(zip(sheet.titles, row, sheet.is_text, strict=True))[names:],
        }
        for row in sheet.rows
    ]
    is_folded = len(rows) > ROWS_SHOWN and table.name != "primary"
    heads = list(zip(sheet.titles, sheet.is_text, strict=True))
    return {"table": table, "heads": heads, "rows": rows, "is_folded": is_folded}


def _list(request: SignedIn, form: MakeForm, *, status: int = 200) -> HttpResponse:
    unfinished = AuditRun.objects.exclude(status=AuditRun.Status.FINISHED)
    decided = Exists(AuditDecision.objects.filter(audit=OuterRef("pk")))
    audits = Audit.objects.defer("document").annotate(is_decided=decided).order_by("-made_at")
    if chosen := uuid_of(request.GET.get("project")):
        audits = audits.filter(project=chosen)
    context = {
        "query": f"project={chosen}&" if chosen else "",
        "chosen_project": chosen,
        "form": form,
        "may_make": auditors.is_compliance(request.user),
        "page": Paginator(audits, AUDITS_A_PAGE).get_page(request.GET.get("page")),
        "runs": unfinished.order_by("-started_at")[:5],
    }
    return render(request, "audits/audits.html", context, status=status)


def _last_month() -> dict[str, Any]:
    today = timezone.now().date()
    return {"first": today - timedelta(days=30), "last": today, "stage": "image"}
