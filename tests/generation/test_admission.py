"""Who may submit one more: the tiers' budgets, the quotas, and what is told before submitting."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from adapters.models import BaseModel
from generation.capacity import estimates
from generation.hardware import worker_processes
from generation.models import Allowance, GenerationRequest, RequestStatus
from generation.request_rules import priority_classes
from generation.request_rules.parameters import RequestParameters
from generation.requests import admission, submitting
from generation.studio import own_requests
from tests.factories import NOON, make_request

pytestmark = pytest.mark.django_db


def submit(by: User, **said: object) -> GenerationRequest:
    parameters = RequestParameters(prompt="a red apple", **said)  # type: ignore[arg-type] # the tests name real fields
    return submitting.submit(parameters, by=by, at=NOON).request


def test_cost_follows_what_the_last_images_took(alice: User, model: BaseModel) -> None:
    assert estimates.speed_of(model) == estimates.UNKNOWN
    for denoise in (90.0, 100.0, 400.0):
        timings = {"denoise_ms": denoise * 8, "decode_ms": 30.0, "adapters_ms": 20.0}
        make_request(alice, model, status=RequestStatus.FINISHED, timings=timings)
    assert estimates.speed_of(model) == priority_classes.Speed(row_step_ms=100.0, fixed_ms=50.0)
    assert submit(alice, steps=10, guidance=5.0).predicted_ms == 2050
    assert submit(alice, steps=10, guidance=1.0).predicted_ms == 1050


def test_request_over_the_budget_of_its_tier_is_sent_away(
    alice: User,
    bob: User,
    model: BaseModel,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.PROOFSHEET_WAIT_BUDGETS_S = {"interactive": 5, "standard": 60, "batch": 600}
    make_request(alice, model, predicted_ms=100_000)
    monkeypatch.setattr(secrets, "randbelow", lambda end: end - 1)
    with pytest.raises(admission.TooBusy) as told:
        submit(bob)
    assert told.value.retry_after_s == 44, "a tenth more than the 40 s that it waits too long"
    assert submit(bob, tier="batch").priority == -1
    assert submit(bob, tier="interactive", steps=2).priority == 1
    assert GenerationRequest.objects.count() == 3


@pytest.mark.parametrize(("predicted_ms", "is_accepted"), [(60_000, True), (60_001, False)])
def test_wait_of_the_whole_budget_is_accepted(
    alice: User, model: BaseModel, predicted_ms: int, is_accepted: bool
) -> None:
    make_request(alice, model, predicted_ms=predicted_ms)
    tier = priority_classes.PriorityClass("standard", 0, 60)
    told = admission.estimate(model, tier, steps=2, guidance=1.0, count=1, at=NOON)
    assert told.is_accepted == is_accepted


def test_device_seconds_of_a_day_may_be_used_up_to_the_last(alice: User, model: BaseModel) -> None:
    Allowance.objects.create(user=alice, device_seconds_a_day=10)
    make_request(alice, model, status=RequestStatus.FINISHED, device_ms=9_000)
    tier = priority_classes.PriorityClass("standard", 0, 60)
    for device_ms, is_refused in ((1_000, False), (1_001, True)):
        asked = estimates.Estimate(device_ms, 0.0, tier.name, True)
        if is_refused:
            with pytest.raises(admission.QuotaUsedUp):
                admission.admit(alice, asked, tier, count=1, at=NOON)
        else:
            admission.admit(alice, asked, tier, count=1, at=NOON)


def test_second_worker_halves_the_predicted_wait(alice: User, model: BaseModel) -> None:
    make_request(alice, model, predicted_ms=10_000)
    assert estimates.wait_s("gpu", priority=0, at=NOON) == 10
    for name in ("one@here", "two@here"):
        worker_processes.announce(name, queues=["gpu"], slots=1, at=NOON)
    assert estimates.wait_s("gpu", priority=0, at=NOON) == 5


def test_interactive_tier_is_for_few_steps(alice: User, model: BaseModel) -> None:
    with pytest.raises(admission.TooSlowForTier):
        submit(alice, tier="interactive", steps=model.few_steps + 1)
    with pytest.raises(admission.TierUnknown):
        submit(alice, tier="at once")


def test_images_a_day_are_counted_over_the_last_24_hours(
    alice: User, bob: User, model: BaseModel
) -> None:
    Allowance.objects.create(user=alice, images_a_day=2)
    for hours in (25, 20, 1):
        made_at = NOON - timedelta(hours=hours)
        make_request(alice, model, status=RequestStatus.FINISHED, created_at=made_at)
    make_request(alice, model, status=RequestStatus.REFUSED)
    with pytest.raises(admission.QuotaUsedUp) as told:
        submit(alice)
    assert told.value.retry_after_s == 4 * 3600
    submit(bob)


def test_device_seconds_a_day_are_counted_as_they_were_used(alice: User, model: BaseModel) -> None:
    Allowance.objects.create(user=alice, device_seconds_a_day=10)
    make_request(alice, model, status=RequestStatus.FINISHED, predicted_ms=99_000, device_ms=8_000)
    submit(alice)
    make_request(alice, model, status=RequestStatus.FINISHED, device_ms=1_500)
    with pytest.raises(admission.QuotaUsedUp):
        submit(alice)


def test_requests_on_their_way_are_bounded(alice: User, model: BaseModel) -> None:
    Allowance.objects.create(user=alice, in_flight=1)
    first = submit(alice)
    with pytest.raises(admission.TooManyInFlight):
        submit(alice)
    own_requests.cancel(first.id, by=alice, at=NOON)
    submit(alice)


def test_api_tells_cost_wait_and_usage_before_submitting(alice: User, model: BaseModel) -> None:
    make_request(alice, model, predicted_ms=3_000)
    client = APIClient()
    client.force_authenticate(alice)
    body = client.post("/api/v1/generations/estimate/", {"prompt": "a"}, format="json").json()
    assert (body["device_ms"], body["wait_s"], body["is_accepted"]) == (1100, 3.0, True)
    assert body["usage"]["in_flight"] == 1
    assert GenerationRequest.objects.count() == 1


def test_api_answers_429_with_retry_after(
    alice: User, model: BaseModel, settings: Settings
) -> None:
    settings.PROOFSHEET_WAIT_BUDGETS_S = {"interactive": 5, "standard": 5, "batch": 5}
    make_request(alice, model, predicted_ms=100_000)
    client = APIClient()
    client.force_authenticate(alice)
    answer = client.post("/api/v1/generations/", {"prompt": "a"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_busy")
    assert int(answer["Retry-After"]) >= 95
