"""What a project may ask for, counted for itself and for those whom it serves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from rest_framework.test import APIClient

from adapters.models import BaseModel
from config.core.errors import ProofsheetError
from config.core.projects import calling, end_users
from config.core.projects.calling import Caller, ProjectClosed
from config.core.projects.models import EndUser, Project
from generation.models import Allowance, GenerationRequest, RequestStatus
from generation.request_rules.parameters import RequestParameters
from generation.requests import admission, project_limits, submitting
from generation.requests.too_much import TooMuch
from moderation.account_status import end_user_standing
from tests.factories import NOON, make_adapter, make_key, make_model, make_request
from tests.projects.makers import make_project
from tests.projects.test_standing import suspended


@pytest.fixture
def model(db: None) -> BaseModel:
    return make_model()


@pytest.fixture
def team(alice: User) -> Project:
    return make_project(alice)


def submit(
    by: User, project: Project, end_user: EndUser | None = None, **said: Any
) -> GenerationRequest:
    parameters = RequestParameters(**{"prompt": "a red apple"} | said)
    key = said.pop("idempotency_key", None)
    caller = Caller(by, project, end_user)
    return submitting.submit(parameters, by=caller, at=NOON, idempotency_key=key).request


def test_a_request_knows_project_and_end_user(alice: User, model: BaseModel, team: Project) -> None:
    eve = end_users.seen(team, "eve", at=NOON)
    made = submit(alice, team, eve)
    assert (made.owner, made.project, made.end_user) == (alice, team, eve)


@pytest.mark.parametrize(
    ("limits", "said", "code"),
    [
        ({"allowed_models": ["other"]}, {}, "model_not_allowed"),
        ({"allowed_adapters": []}, {"adapters": (("flat", 1.0),)}, "adapter_not_allowed"),
        ({"priority_ceiling": "batch"}, {}, "tier_not_allowed"),
        ({"images_a_day": 1}, {"count": 2}, "project_quota_used_up"),
        ({"device_seconds_a_day": 0}, {}, "project_quota_used_up"),
        ({"device_seconds_a_month": 0}, {}, "project_quota_used_up"),
    ],
)
def test_each_limit_has_a_name(
    alice: User, model: BaseModel, team: Project, limits: Any, said: Any, code: str
) -> None:
    make_adapter(model)
    for name, value in limits.items():
        setattr(team, name, value)
    team.save()
    with pytest.raises(ProofsheetError) as told:
        submit(alice, team, **said)
    assert told.value.code == code
    assert not GenerationRequest.objects.exists()


def test_what_is_allowed_passes(alice: User, model: BaseModel, team: Project) -> None:
    team.allowed_models, team.priority_ceiling, team.in_flight = ["tiny"], "standard", 1
    team.images_a_day = 4
    team.save()
    assert submit(alice, team).status == RequestStatus.SUBMITTED
    with pytest.raises(project_limits.ProjectTooManyInFlight):
        submit(alice, team)


def test_changing_ids_does_not_evade_the_projects_limit(
    alice: User, model: BaseModel, team: Project
) -> None:
    team.images_a_day, team.end_user_images_a_day = 3, 1
    team.save()
    for n in range(3):
        submit(alice, team, end_users.seen(team, f"eve {n}", at=NOON))
    with pytest.raises(project_limits.ProjectQuotaUsedUp):
        submit(alice, team, end_users.seen(team, "eve 4", at=NOON))
    team.images_a_day = 9
    with pytest.raises(project_limits.EndUserQuotaUsedUp):
        submit(alice, team, end_users.seen(team, "eve 0", at=NOON))


def test_an_end_users_requests_at_once_are_counted(
    alice: User, model: BaseModel, team: Project
) -> None:
    team.end_user_in_flight = 1
    team.save()
    eve = end_users.seen(team, "eve", at=NOON)
    submit(alice, team, eve)
    with pytest.raises(project_limits.EndUserTooManyInFlight):
        submit(alice, team, eve)
    submit(alice, team, end_users.seen(team, "adam", at=NOON))


def test_a_new_project_is_no_way_around_the_accounts_limit(
    alice: User, model: BaseModel, team: Project
) -> None:
    Allowance.objects.create(user=alice, images_a_day=1)
    make_request(alice, model, status=RequestStatus.FINISHED)
    with pytest.raises(admission.QuotaUsedUp):
        submit(alice, team)


def test_what_a_granted_project_makes_is_not_charged_to_the_account(
    alice: User, model: BaseModel, team: Project
) -> None:
    Allowance.objects.create(user=alice, images_a_day=1)
    team.images_a_day = 100
    team.save()
    for _ in range(2):
        submit(alice, team)
    assert admission.usage_of(alice, at=NOON).images == 0


def test_two_projects_may_use_one_idempotency_key(
    alice: User, model: BaseModel, team: Project
) -> None:
    other = make_project(alice, "Other")
    parameters = RequestParameters(prompt="a")

    def sent(project: Project) -> GenerationRequest:
        caller = Caller(alice, project)
        return submitting.submit(parameters, by=caller, at=NOON, idempotency_key="k").request

    assert sent(team) == sent(team)
    assert sent(team) != sent(other)


def test_a_closed_project_asks_for_nothing(alice: User, model: BaseModel, team: Project) -> None:
    team.closed_at = NOON
    team.save()
    with pytest.raises(ProjectClosed):
        submit(alice, team)


def test_a_suspended_end_user_is_refused_and_the_next_one_served(
    alice: User, bob: User, carol: User, model: BaseModel, team: Project
) -> None:
    """The decision acts on whom it was asked for: account and keys stay as they are."""
    eve = end_users.seen(team, "eve", at=NOON)
    decision = suspended(submit(alice, team, eve), bob, carol)
    eve.refresh_from_db()
    with pytest.raises(end_user_standing.EndUserSuspended) as told:
        submit(alice, team, eve)
    assert (told.value.status, told.value.decision) == (403, decision)
    assert "/r/" in told.value.advice
    assert submit(alice, team, end_users.seen(team, "adam", at=NOON)).pk
    assert submit(alice, team).pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("of", ["account", "project", "end user"])
def test_no_limit_is_passed_by_asking_many_times_at_once(
    alice: User, model: BaseModel, team: Project, of: str
) -> None:
    end_user = None
    match of:
        case "account":
            Allowance.objects.create(user=alice, images_a_day=2)
        case "project":
            team.images_a_day = 2
        case "end user":
            team.images_a_day, team.end_user_images_a_day = 99, 2
            end_user = end_users.seen(team, "eve", at=NOON)
    team.save()
    start = Barrier(6)

    def ask(_: int) -> str:
        start.wait()
        try:
            submit(alice, team, end_user)
        except TooMuch as refused:
            return refused.code
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(6) as at_once:
        said = list(at_once.map(ask, range(6)))
    assert said.count("made") == GenerationRequest.objects.count() == 2, said


@pytest.mark.django_db(transaction=True)
def test_a_turn_that_does_not_end_is_told_after_a_while(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "TURN_AFTER_S", 0.1)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {make_key(alice)}")
    with ThreadPoolExecutor(1) as elsewhere, transaction.atomic():
        admission.take_turn(calling.as_caller(alice))
        answer = elsewhere.submit(_post_and_close, api).result()
    assert (answer.status_code, answer.json()["code"]) == (429, "turn_not_reached")
    assert int(answer["Retry-After"]) > 0
    assert _post_and_close(api).status_code == 201


def _post_and_close(api: APIClient) -> Any:
    try:
        return api.post("/api/v1/generations/", {"prompt": "a red apple"}, format="json")
    finally:
        connection.close()
