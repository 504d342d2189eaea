"""The threshold lab's page."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn
from config.core.projects.project_filter import ProjectField
from moderation.audits.audit_reports.auditors import for_auditors
from moderation.audits.suites.person_terms import DIMENSIONS
from moderation.policy import drafting
from moderation.policy.rulebook import policy_document

PROFILE = "general"
DAYS = (7, 30, 90, 365)


class LabForm(forms.Form):
    """What is replayed; the threshold is left out on the first look."""

    stage = forms.ChoiceField(choices=[("image", "Images"), ("prompt", "Prompts")])
    category = forms.ChoiceField()
    dimension = forms.ChoiceField(label="Groups by", choices=[(d, d.title()) for d in DIMENSIONS])
    days = forms.TypedChoiceField(
        label="Period", coerce=int, choices=[(n, f"Last {n} days") for n in DAYS]
    )
    threshold = forms.FloatField(min_value=0.01, max_value=1, required=False)
    project = ProjectField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        categories = policy_document.active(PROFILE).categories
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, each.title) for name, each in categories.items()]
        number = {"min": "0.01", "max": "1", "step": "0.01"}
        self.fields["threshold"].widget.attrs.update(number)


@require_GET
@for_auditors
def lab(request: SignedIn) -> HttpResponse:
    """The form, and what the threshold would have done. Loads statsmodels with the first answer."""
    first = {"stage": "image", "category": "sexual", "dimension": "gender", "days": 30}
    asked = request.GET.dict() or first
    form = LabForm(asked)
    if not form.is_valid():
        return render(request, "audits/lab.html", {"form": form}, status=422)
    found = _replay(form.cleaned_data)
    shown_at = LabForm({**asked, "threshold": f"{found['after']:g}"})
    context = {"form": shown_at, "may_propose": _may_propose(request)} | found
    return render(request, "audits/lab.html", context)


@require_POST
@for_auditors
def propose(request: SignedIn) -> HttpResponse:
    """Draft and propose the moved threshold, with the replay attached for the second person."""
    form = LabForm(request.POST)
    if not form.is_valid() or form.cleaned_data["threshold"] is None:
        return render(request, "audits/lab.html", {"form": form}, status=422)
    said = form.cleaned_data
    context: dict[str, Any] = {"form": form, "may_propose": _may_propose(request)} | _replay(said)
    active = policy_document.active(PROFILE)
    pair = active.categories[said["category"]].thresholds[said["stage"]]
    moved = {"hold": said["threshold"], "refuse": max(pair.refuse, said["threshold"])}
    try:
        made = drafting.propose_draft(
            based_on=active.version,
            changes={"categories": {said["category"]: {"thresholds": {said["stage"]: moved}}}},
            rationale=request.POST.get("rationale", ""),
            by=request.user,
            at=timezone.now(),
            attachment={"threshold_lab": context["replayed"].analysis()},
        )
    except ProofsheetError as error:
        context |= {"error": error, "rationale": request.POST.get("rationale", "")}
        return render(request, "audits/lab.html", context, status=error.status)
    messages.success(request, f"Proposed as {made.version}; another person puts it in force.")
    return redirect("moderation:policy-version", made.version)


def _may_propose(request: SignedIn) -> bool:
    return request.user.has_perm("moderation.propose_policies")


def _replay(said: dict[str, Any]) -> dict[str, Any]:
    from moderation.audits.lab import threshold_lab  # the statistics take seconds to load
    from moderation.audits.sampling.population import Window  # loads them too
    from moderation.audits.tables import drawing  # loads matplotlib

    before = threshold_lab.threshold_of(PROFILE, category=said["category"], stage=said["stage"])
    after = said["threshold"] if said["threshold"] is not None else before
    today = timezone.now().date()
    first = today - timedelta(days=said["days"] - 1)
    found = threshold_lab.replayed(
        Window(said["stage"], first, today, said["project"]),
        category=said["category"],
        dimension=said["dimension"],
        before=before,
        after=after,
        profile=PROFILE,
    )
    return {
        "replayed": found,
        "after": after,
        "figures": [
            (figure.title, b64encode(drawing.svg(figure)).decode()) for figure in found.figures
        ],
    }
