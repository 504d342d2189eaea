"""Warnings and suspensions of somebody whom a project serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from config.accounts.projects import end_user_rights
from config.core import events
from config.core.projects import end_users
from config.core.projects.models import EndUser, Project
from config.models import ApiKey
from generation.models import GenerationRequest
from moderation.account_status import end_user_standing, restrictions
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.models import Decision, Suspension
from moderation.subjects.actions import Terms
from moderation.subjects.subject import Subject
from tests.factories import NOON, make_model, make_request
from tests.moderation.makers import claimed, evidence
from tests.projects.makers import join, make_project, project_key


@pytest.fixture
def team(alice: User) -> Project:
    return make_project(alice)


@pytest.fixture
def eve(team: Project) -> EndUser:
    return end_users.seen(team, "eve", at=NOON)


@contextmanager
def told() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What projects are told of meanwhile."""
    heard: list[tuple[str, dict[str, Any]]] = []

    def hear(event: events.ProjectEvent, **_: Any) -> None:
        heard.append((event.type, event.said()))

    events.told.connect(hear)
    try:
        yield heard
    finally:
        events.told.disconnect(hear)


def decided(
    request: GenerationRequest,
    bob: User,
    carol: User,
    action: str,
    days: int | None = None,
    reason: str = "nudity",
) -> Decision:
    whose = (request.owner_id, request.project_id, request.end_user_id)
    case = review_cases.open_case(
        subject=Subject("prompt", request.id, *whose), evidence=evidence(), at=NOON
    )
    row, _ = claimed(case, bob)
    locked = review_cases.locked(row)
    return enforcing.enforce(
        locked,
        by=bob,
        action=action,  # type: ignore[arg-type] # a word of the parametrised test
        reason=reason,
        explanation="",
        at=NOON,
        confirmed_by=carol if action == "suspend" else None,
        terms=Terms(days=days),
    )


def suspended(request: GenerationRequest, bob: User, carol: User) -> Decision:
    return decided(request, bob, carol, "suspend", 7)


def asked(alice: User, team: Project, eve: EndUser) -> GenerationRequest:
    model = make_model(slug=f"m{GenerationRequest.objects.count()}", is_default=False)
    return make_request(alice, model, status="submitted", project=team, end_user=eve)


def test_a_warning_is_the_end_users_and_not_the_accounts(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    decision = decided(asked(alice, team, eve), bob, carol, "warn")
    eve.refresh_from_db()
    assert eve.standing == "warned"
    assert (decision.project, decision.end_user) == (team, eve)
    assert decision.statement.end_user == eve
    assert restrictions.marks_of(by=alice, at=NOON) == []
    assert end_user_standing.strikes_of_project(team.pk, at=NOON) == 1


def test_a_suspension_ends_no_key_and_no_account(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    project_key(team, alice)
    suspended(asked(alice, team, eve), bob, carol)
    eve.refresh_from_db()
    assert (eve.standing, eve.suspended_until) == ("suspended", NOON + timedelta(days=7))
    assert Suspension.objects.get().user is None
    restrictions.check(alice.pk, at=NOON)
    assert ApiKey.objects.get().revoked_at is None
    with pytest.raises(end_user_standing.EndUserSuspended):
        end_user_standing.check(eve, at=NOON)
    end_user_standing.check(eve, at=NOON + timedelta(days=8))


def test_our_header_names_the_end_user_to_the_native_api_too(
    alice: User, bob: User, carol: User, team: Project
) -> None:
    eve = end_users.seen(team, "eve", at=timezone.now())
    asked(alice, team, eve)
    key = {"Authorization": f"Bearer {project_key(team, alice)}"}
    program = Client(headers=key | {"X-Proofsheet-End-User": " eve "})
    told = program.post("/api/v1/generations/", {"prompt": "a"}, content_type="application/json")
    assert told.status_code == 201, told.content
    assert GenerationRequest.objects.get(pk=told.json()["id"]).end_user == eve
    EndUser.objects.filter(pk=eve.pk).update(
        standing="suspended", suspended_until=timezone.now() + timedelta(days=7)
    )
    refused = program.post("/api/v1/generations/", {"prompt": "a"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "end_user_suspended")


def test_an_appeal_that_is_granted_restores_and_the_project_hears_of_both(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    with told() as heard:
        decision = suspended(asked(alice, team, eve), bob, carol)
        enforcing.reverse(decision, by=carol, explanation="No.", at=NOON)
    eve.refresh_from_db()
    assert (eve.standing, eve.suspended_until) == ("good", None)
    named = {("end_user.suspended", str(eve.pk)), ("end_user.restored", str(eve.pk))}
    assert named <= {(name, said.get("end_user_id")) for name, said in heard}


def test_a_suspension_that_runs_out_restores_and_a_warning_beside_it_goes_on(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    suspension = suspended(asked(alice, team, eve), bob, carol)
    with told() as heard:
        end_user_standing.let_return(at=NOON + timedelta(days=7, seconds=-1))
        assert heard == []
        end_user_standing.let_return(at=NOON + timedelta(days=7))
        end_user_standing.let_return(at=NOON + timedelta(days=8))
    eve.refresh_from_db()
    assert (eve.standing, eve.suspended_until) == ("warned", None)
    [(name, said)] = heard
    assert (name, said["state"], said["until"]) == ("end_user.restored", "warned", None)
    assert (said["end_user_id"], said["decision_id"]) == (str(eve.pk), str(suspension.pk))


def test_nobody_returns_while_another_suspension_holds(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    suspended(asked(alice, team, eve), bob, carol)
    longer = decided(asked(alice, team, eve), bob, carol, "suspend", 30)
    end_user_standing.let_return(at=NOON + timedelta(days=7))
    with told() as heard:
        enforcing.reverse(longer, by=carol, explanation="No.", at=NOON + timedelta(days=1))
    eve.refresh_from_db()
    assert (eve.standing, eve.suspended_until) == ("suspended", NOON + timedelta(days=7))
    assert [name for name, _ in heard if name.startswith("end_user.")] == ["end_user.suspended"]


def test_a_warning_of_somebody_suspended_is_told_as_a_warning(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    suspended(asked(alice, team, eve), bob, carol)
    with told() as heard:
        decided(asked(alice, team, eve), bob, carol, "warn")
    [said] = [said for name, said in heard if name == "end_user.warned"]
    assert said["state"] == "suspended"


def test_somebody_erased_is_forgotten_once_the_suspension_has_run_out(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    request = asked(alice, team, eve)
    suspended(request, bob, carol)
    GenerationRequest.objects.filter(pk=request.pk).update(status="cancelled", ended_at=NOON)
    end_user_rights.erase(eve.pk, project_id=team.pk, by=alice, at=NOON)
    eve.refresh_from_db()
    assert eve.ref
    end_user_standing.let_return(at=NOON + timedelta(days=7))
    eve.refresh_from_db()
    assert eve.ref == ""


def test_a_developer_of_the_project_may_appeal_and_a_viewer_may_not(
    alice: User, bob: User, carol: User, dora: User, mallory: User, team: Project, eve: EndUser
) -> None:
    join(team, dora, "developer")
    join(team, mallory, "viewer")
    decision = decided(asked(alice, team, eve), bob, carol, "warn")
    for nobody in (mallory, bob):
        with pytest.raises(hearing.NotAppealable):
            hearing.lodge(decision, by=nobody, grounds="No.", at=NOON)
    appeal = hearing.lodge(decision, by=dora, grounds="No.", at=NOON)
    assert (appeal.project, appeal.end_user) == (team, eve)
    assert list(hearing.of_project(by=alice, project=team.pk)) == [appeal]
    assert not hearing.of_project(by=alice).exists()


def test_nobody_of_the_project_decides_about_it(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    join(team, bob, "viewer")
    request = asked(alice, team, eve)
    subject = Subject("prompt", request.id, alice.pk, team.pk, eve.pk)
    case = review_cases.open_case(subject=subject, evidence=evidence(), at=NOON)
    with pytest.raises(review_cases.OwnSubject):
        review_cases.claim(case, by=bob, at=NOON)
    assert review_cases.claim(case, by=carol, at=NOON).leased_by == carol


def test_the_desk_shows_one_projects_cases(
    alice: User, bob: User, carol: User, team: Project, eve: EndUser
) -> None:
    request = asked(alice, team, eve)
    subject = Subject("prompt", request.id, alice.pk, team.pk, eve.pk)
    case = review_cases.open_case(subject=subject, evidence=evidence(), at=NOON)
    elsewhere = Subject("prompt", eve.pk, carol.pk)
    review_cases.open_case(subject=elsewhere, evidence=evidence(), at=NOON)
    client = Client()
    client.force_login(bob)
    [found] = client.get(f"/api/v1/review/cases/?project={team.pk}").json()["results"]
    assert found["id"] == str(case.pk)
    page = client.get(f"/review/?project={team.pk}").content.decode()
    assert str(case.pk) in page
    assert page.count("/review/cases/") >= 1
