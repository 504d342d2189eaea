"""What projects are told of: each event once, at its one place, with ids and addresses alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from adapters.models import Adapter
from config.core import events
from config.core.projects.models import EndUser, Project
from config.webhooks.models import Delivery
from generation.models import GenerationRequest
from moderation.appeals import hearing
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.models import Decision, PublicAddress
from moderation.subjects.subject import Subject
from tests.factories import make_adapter, make_image, make_model, make_request
from tests.moderation.makers import NOON, claimed, evidence, refused_by

pytestmark = pytest.mark.django_db
Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def told() -> Iterator[Told]:
    """What whoever keeps webhooks would have heard."""
    heard: Told = []

    def hear(*, event: events.ProjectEvent, **_: Any) -> None:
        heard.append((event.type, event.said()))

    events.told.connect(hear)
    yield heard
    events.told.disconnect(hear)


@pytest.fixture
def request_(alice: User) -> GenerationRequest:
    return make_request(alice, make_model(), status="submitted")


def decided(subject: Subject, action: Any, reason: str, *, by: User) -> Decision:
    shown = evidence(kind=subject.kind)
    case, token = claimed(review_cases.open_case(subject=subject, evidence=shown, at=NOON), by)
    return enforcing.decide(case, by=by, action=action, reason=reason, token=token, at=NOON)


def of_prompt(request: GenerationRequest) -> Subject:
    return Subject("prompt", request.id, request.owner_id, request.project_id)


def test_a_refused_prompt_comes_with_its_notice_and_no_words(
    request_: GenerationRequest, alice: User, bob: User, told: Told
) -> None:
    decided(of_prompt(request_), "refuse", "nudity", by=bob)
    [(type, data)] = told
    assert type == "generation.refused"
    assert (data["request_id"], data["state"]) == (str(request_.id), "refused")
    assert request_.prompt not in str(data)
    assert Client().get(urlsplit(data["notice_url"]).path).status_code == 200
    assert data["appeal_url"].startswith(data["notice_url"])


def test_a_held_prompt_and_its_release(request_: GenerationRequest, bob: User, told: Told) -> None:
    request_.hold()
    decided(of_prompt(request_), "allow", "within_policy", by=bob)
    assert [type for type, _ in told] == ["generation.held", "generation.released"]


def test_a_request_that_ends_says_how(alice: User, told: Told) -> None:
    model = make_model()
    image = make_image(alice, model, request=make_request(alice, model, status="running"))
    image.request.finish(at=NOON)
    make_request(alice, model).fail(code="render_failed", at=NOON)
    make_request(alice, model).cancel(at=NOON)
    make_request(alice, model, is_live=True).fail(code="render_failed", at=NOON)
    assert [type for type, _ in told] == ["generation.succeeded", "generation.failed"]
    [shown] = told[0][1]["images"]
    assert (shown["id"], shown["state"]) == (str(image.id), "released")
    assert told[1][1]["code"] == "render_failed"


def test_a_request_whose_pictures_are_all_held_has_not_succeeded(alice: User, told: Told) -> None:
    model = make_model()
    request = make_request(alice, model, status="running")
    make_image(alice, model, request=request, state="held")
    request.finish(at=NOON)
    assert not told


def test_a_picture_is_released_or_refused_by_a_person(alice: User, bob: User, told: Told) -> None:
    model = make_model()
    for action, reason in (("allow", "within_policy"), ("blur", "nudity"), ("refuse", "nudity")):
        image = make_image(alice, model, state="held")
        decided(Subject("image", image.id, alice.pk, image.project_id), action, reason, by=bob)
    types = [type for type, _ in told]
    assert types == ["generation.released", "generation.released", "generation.refused"]
    assert "notice_url" in told[-1][1]


def test_an_appeal_is_told_of_twice_and_what_it_overturns_once(
    alice: User, bob: User, carol: User, told: Told
) -> None:
    decision = refused_by(bob, alice)
    told.clear()
    appeal = hearing.lodge(decision, by=alice, grounds="A candle.", at=NOON)
    hearing.hear(appeal, by=carol, outcome="reversed", reasons="It is.", at=NOON)
    types = [type for type, _ in told]
    assert sorted(types) == ["appeal.decided", "appeal.received", "decision.overturned"]
    assert "A candle." not in str(told)
    assert {data["decision_id"] for _, data in told} == {str(decision.id)}
    assert dict(told)["appeal.decided"]["state"] == "reversed"


def test_an_end_user_is_named_where_there_is_one(alice: User, project: Project, told: Told) -> None:
    person = EndUser.objects.create(project=project, ref="r", first_seen_at=NOON, last_seen_at=NOON)
    make_request(alice, make_model(), end_user=person).fail(code="render_failed", at=NOON)
    assert told[0][1]["end_user_id"] == str(person.id)


def test_an_adapter_s_verdict(alice: User, told: Told) -> None:
    model = make_model()
    bad = make_adapter(model, owner=alice, state=Adapter.State.VALIDATING, visibility="private")
    bad.reject(code="rank_too_high", report={}, at=NOON)
    assert told[0][0] == "adapter.rejected"
    assert told[0][1]["code"] == "rank_too_high"


def test_without_endpoints_nothing_is_written_and_no_address_made(
    request_: GenerationRequest, bob: User
) -> None:
    decided(of_prompt(request_), "refuse", "nudity", by=bob)
    assert not Delivery.objects.exists()
    assert not PublicAddress.objects.exists()
