"""What is judged under a project's overlay says so, and counts in no audit of the house."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.core.projects.models import Project
from moderation.account_status import audiences
from moderation.audits.models import FrameEntry
from moderation.decisions import acting
from moderation.models import Decision, PolicyOverlay, ReviewCase, Screening
from moderation.policy import overlays
from moderation.policy.rulebook import overlay
from moderation.screening import classify
from moderation.subjects.evidence import Evidence
from moderation.subjects.subject import Subject
from tests.factories import NOON
from tests.moderation.makers import evidence
from tests.projects.makers import make_project, project_key


class Calm:
    """Sees nothing in any prompt."""

    name, version = "calm", "1"

    def score(self, text: str) -> dict[str, float]:
        return {}


@pytest.fixture
def team(alice: User) -> Project:
    return make_project(alice)


def put_in_force(team: Project, by: User, action: str) -> None:
    document = {"block": [{"term": "heron", "category": "violence", "action": action}]}
    made = overlays.propose(team, document, rationale="Birds.", profile="general", by=by, at=NOON)
    overlays.activate(team, made.number, by=by, at=NOON)


def screened(team: Project, text: str) -> classify.PromptVerdict:
    return classify.screen_prompt(
        text,
        at=NOON,
        profile=audiences.profile_for(team),
        classifier=Calm(),
        overlay=overlays.in_force(team.pk),
    )


def shown_of(verdict: classify.PromptVerdict) -> Evidence:
    return evidence(prompt="a grey heron", categories=verdict.categories)


def test_a_refusal_names_both_policies_and_its_statement_stands(alice: User, team: Project) -> None:
    put_in_force(team, alice, "refuse")
    verdict = screened(team, "a grey heron")
    subject = Subject("prompt", uuid4(), alice.pk, team.pk)
    acting.act(verdict, subject, shown_of(verdict), at=NOON)
    decision = Decision.objects.get()
    assert (decision.action, decision.reason) == ("refuse", "violence")
    assert decision.policy_version == verdict.policy_version
    assert decision.overlay == Screening.objects.get().overlay == f"{team.pk}/1"
    assert decision.statement.project == team
    entry = FrameEntry.objects.get()
    assert (entry.is_flagged, entry.scores) == (False, {})


def test_what_it_holds_waits_for_a_person_under_its_category(alice: User, team: Project) -> None:
    put_in_force(team, alice, "hold")
    verdict = screened(team, "a grey heron")
    subject = Subject("prompt", uuid4(), alice.pk, team.pk)
    acting.act(verdict, subject, shown_of(verdict), at=NOON)
    case = ReviewCase.objects.get()
    assert (case.category, case.project) == ("violence", team)


def test_other_projects_and_retired_overlays_judge_as_the_house(
    alice: User, bob: User, team: Project
) -> None:
    put_in_force(team, alice, "refuse")
    assert screened(make_project(bob), "a grey heron").verdict == "allow"
    overlays.retire(team, 1, at=NOON)
    verdict = screened(team, "a grey heron")
    assert (verdict.verdict, verdict.overlay) == ("allow", "")


@pytest.mark.parametrize("nothing", [" ", "\u200b\u2060"])
def test_a_version_needs_a_reason_that_somebody_can_read(
    alice: User, team: Project, nothing: str
) -> None:
    document = {"block": [{"term": "heron", "category": "violence", "action": "hold"}]}
    with pytest.raises(overlay.OverlayInvalid, match="Say why"):
        overlays.propose(team, document, rationale=nothing, profile="general", by=alice, at=NOON)


@pytest.mark.parametrize(
    ("profile", "allows_adult", "judged_for"),
    [
        ("", False, "general"),
        ("adult", False, "general"),
        ("adult", True, "adult"),
        ("gone", True, "general"),
    ],
)
def test_a_project_is_judged_for_its_own_audience(
    alice: User, settings: object, profile: str, allows_adult: bool, judged_for: str
) -> None:
    settings.PROOFSHEET_PROFILES = ("adult",)  # type: ignore[attr-defined] # pytest's fixture
    team = make_project(alice, policy_profile=profile, allows_adult=allows_adult)
    assert audiences.profile_for(team) == judged_for


@pytest.mark.parametrize(
    "text",
    [
        '{"block": [{"term": "a\\u0000b", "category": "violence", "action": "hold"}]}',
        '{"block": [{"term": "a\\ud800", "category": "violence", "action": "hold"}]}',
        '{"block": [{"term": "a", "category": "violence", "action": "hold", "x": NaN}]}',
        '{"block": [{"term": "a", "category": "violence", "action": "hold", "x": %s}]}'
        % ("9" * 5000),
        "[" * 100_000,
    ],
    ids=["nul", "half", "nan", "digits", "nested"],
)
def test_a_document_that_no_database_keeps_is_refused(
    alice: User, team: Project, text: str
) -> None:
    browser, program = (
        Client(),
        Client(headers={"Authorization": f"Bearer {project_key(team, alice)}"}),
    )
    browser.force_login(alice)
    page = browser.post(
        reverse("propose-overlay", args=[team.pk]), {"document": text, "rationale": "Birds."}
    )
    told = program.post(
        f"/api/v1/projects/{team.pk}/overlays/",
        f'{{"document": {text}, "rationale": "Birds."}}',
        content_type="application/json",
    )
    assert page.status_code in (400, 422)
    assert told.status_code in (400, 422)
    assert not PolicyOverlay.objects.exists()
