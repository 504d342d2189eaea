"""Pages on which compliance starts a run of a suite, watches it, stops it and carries it on."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from adapters.access import visibility
from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page
from generation.suite_runs import stints
from moderation.audits.audit_reports import auditors
from moderation.audits.suites import counterfactuals

SEEDS_MAX = 10


class RunForm(forms.Form):
    """What to render. Suites that stop at the prompt make no pictures, whatever the seeds."""

    suite = forms.ChoiceField(widget=forms.RadioSelect)
    seeds = forms.IntegerField(
        min_value=1,
        max_value=SEEDS_MAX,
        initial=1,
        label="Seeds",
        help_text="Pictures of each prompt. Two to five tell the most for the time.",
    )
    model = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [counterfactuals.load(name) for name in counterfactuals.names()]
        cast(forms.ChoiceField, self.fields["suite"]).choices = [
            (suite.name, f"{suite.title}: {_size(suite)}") for suite in offered
        ]
        self.initial.setdefault("suite", min(offered, key=_prompts).name)
        models = list(visibility.active_models())
        cast(forms.ChoiceField, self.fields["model"]).choices = [(m.slug, m.name) for m in models]
        if len(models) < 2:
            del self.fields["model"]


def _size(suite: counterfactuals.Suite) -> str:
    prompts = _prompts(suite)
    return f"{prompts} prompts" if "image" not in suite.stages else f"{prompts} pictures a seed"


def _prompts(suite: counterfactuals.Suite) -> int:
    return sum(1 for _ in suite.cells())


@require_http_methods(["GET", "POST"])
@page
def start(request: SignedIn) -> HttpResponse:
    """The form, and what it asks for."""
    auditors.check_compliance(request.user)
    form = RunForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _form(request, form, status=422 if form.is_bound else 200)
    said = form.cleaned_data
    try:
        run = stints.ask(
            said["suite"],
            model=said.get("model", ""),
            seeds=said["seeds"],
            by=request.user,
            at=timezone.now(),
        )
    except ProofsheetError as error:
        return _form(request, form, error=error, status=error.status)
    return redirect("generation:audit-run", run.id)


@require_GET
@page
def run_page(request: SignedIn, run_id: UUID) -> HttpResponse:
    """Compliance and senior moderators: how far a run is; htmx gets only what moves."""
    return _run(request, run_id)


@require_POST
@page
def cancel(request: SignedIn, run_id: UUID) -> HttpResponse:
    """Compliance: the run stops after the batch that is being made."""
    stints.cancel(run_id, by=request.user)
    return redirect("generation:audit-run", run_id)


@require_POST
@page
def resume(request: SignedIn, run_id: UUID) -> HttpResponse:
    """Compliance: a stopped run goes on where it stopped."""
    stints.resume(run_id, by=request.user, at=timezone.now())
    return redirect("generation:audit-run", run_id)


def _form(
    request: SignedIn, form: RunForm, *, error: ProofsheetError | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "error": error}
    return render(request, "audits/run_start.html", context, status=status)


def _run(request: SignedIn, run_id: UUID) -> HttpResponse:
    """The whole page, or what of it moves."""
    standing = stints.find(run_id, by=request.user)
    context = {"standing": standing, "run": standing.run}
    context["may_run"] = auditors.is_compliance(request.user)
    template = "audits/run.html" + ("#progress" if request.htmx else "")
    return render(request, template, context)
