"""Adapters that were taken away while a request waited: it fails by name, and costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from adapters.access import sharing
from adapters.models import Adapter, BaseModel
from adapters.publishing import review_request
from adapters.uploads import owner_actions
from config.core.projects import personal
from generation.hardware import devices
from generation.line import claims
from generation.live import drawing, live_views
from generation.models import GenerationRequest, RequestAdapter
from generation.request_rules import failures
from generation.requests import admission
from generation.work import worker
from moderation.cases import review_cases
from moderation.models import Decision
from moderation.subjects.actions import Terms
from moderation.subjects.evidence import Evidence
from moderation.subjects.subject import Subject
from tests import tiny_pipeline
from tests.factories import make_adapter, make_image, make_request
from tests.fakes import FrozenClock
from tests.generation.test_batching import store_adapter
from tests.moderation.makers import NOON, VERSION
from tests.moderation.test_further_decisions import decided, made_with, reversed_on_appeal

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("image_classifier"),
]
AsUser = Callable[[User], Client]
State, Visibility = Adapter.State, Adapter.Visibility


@pytest.fixture
def flat(tiny: BaseModel, tiny_folder: Path, tmp_path: Path, mallory: User) -> Adapter:
    """Mallory's public adapter, which can be worn."""
    path = tiny_pipeline.build_adapter(tmp_path / "flat.safetensors", tiny_folder)
    adapter = store_adapter(tiny, path, rank=4)
    adapter.owner, adapter.project = mallory, personal.project_of(mallory)
    adapter.save()
    return adapter


def asked(owner: User, model: BaseModel, *adapters: Adapter, **said: Any) -> GenerationRequest:
    request = make_request(owner, model, **said)
    for position, adapter in enumerate(adapters):
        RequestAdapter.objects.create(
            request=request, adapter=adapter, weight=1.0, sha256=adapter.sha256, position=position
        )
    return request


def end_of(request: GenerationRequest, clock: FrozenClock) -> tuple[str, str]:
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    return request.status, request.code


def by_its_owner(adapter: Adapter, owner: User, bob: User) -> Decision | None:
    owner_actions.withdraw(adapter.slug, by=owner, at=NOON)
    return None


def from_the_public(adapter: Adapter, owner: User, bob: User) -> Decision | None:
    review_request.unpublish(adapter.slug, by=owner)
    return None


def by_a_moderator(adapter: Adapter, owner: User, bob: User) -> Decision:
    """On the case of a picture that was made with it, as after a report."""
    _, case = made_with(owner, adapter.base_model, adapter)
    return decided(case, bob, "withdraw_adapter", terms=Terms(adapter=adapter.slug))


def by_a_refusal(adapter: Adapter, owner: User, bob: User) -> Decision:
    subject = Subject("adapter", adapter.id, owner.pk)
    case = review_cases.open_case(
        subject=subject, evidence=Evidence(policy_version=VERSION), at=NOON
    )
    return decided(case, bob, "refuse")


Way = Callable[[Adapter, User, User], Decision | None]


@pytest.mark.parametrize("way", [by_its_owner, from_the_public, by_a_moderator, by_a_refusal])
def test_request_of_another_fails_by_name_and_is_not_charged(
    alice: User, mallory: User, bob: User, flat: Adapter, clock: FrozenClock, way: Way
) -> None:
    assert flat.base_model is not None
    request = asked(alice, flat.base_model, flat, created_at=clock(), predicted_ms=900)
    way(flat, mallory, bob)
    assert end_of(request, clock) == ("failed", "adapter_gone")
    usage = admission.usage_of(alice, at=clock())
    assert (usage.images, usage.device_seconds, usage.in_flight) == (0, 0.0, 0)
    why = failures.explain(request.code, request.failures)
    assert "The adapter “Flat” cannot be used any more" in why.message
    assert "Submit the request again without it" in why.advice


@pytest.mark.parametrize("way", [by_its_owner, by_a_moderator, by_a_refusal])
def test_request_of_the_owner_fails_too(
    mallory: User, bob: User, flat: Adapter, clock: FrozenClock, way: Way
) -> None:
    assert flat.base_model is not None
    request = asked(mallory, flat.base_model, flat)
    way(flat, mallory, bob)
    assert end_of(request, clock) == ("failed", "adapter_gone")


def test_owner_still_wears_what_was_taken_back_from_the_public_or_waits_for_a_moderator(
    mallory: User, flat: Adapter, clock: FrozenClock
) -> None:
    assert flat.base_model is not None
    request = asked(mallory, flat.base_model, flat)
    review_request.unpublish(flat.slug, by=mallory)
    assert end_of(request, clock) == ("finished", "")
    flat.refresh_from_db()
    flat.ask_for_review(at=NOON)
    assert end_of(asked(mallory, flat.base_model, flat), clock) == ("finished", "")


def test_link_that_was_taken_back_ends_what_waits_by_it(
    alice: User, mallory: User, flat: Adapter, clock: FrozenClock
) -> None:
    assert flat.base_model is not None
    review_request.unpublish(flat.slug, by=mallory)
    shared = sharing.share(flat.slug, by=mallory, with_link=True)
    sharing.open_link(shared.share_key, by=alice, at=NOON)
    assert end_of(asked(alice, flat.base_model, flat), clock) == ("finished", "")
    request = asked(alice, flat.base_model, flat)
    sharing.share(flat.slug, by=mallory, with_link=False)
    assert end_of(request, clock) == ("failed", "adapter_gone")


def test_withdrawal_that_was_reversed_in_time_costs_nobody_a_picture(
    alice: User, bob: User, carol: User, mallory: User, flat: Adapter, clock: FrozenClock
) -> None:
    assert flat.base_model is not None
    request = asked(alice, flat.base_model, flat)
    reversed_on_appeal(by_a_moderator(flat, mallory, bob).consequences.get(), carol)
    assert end_of(request, clock) == ("finished", "")


def test_adapter_that_is_in_a_slot_already_is_not_worn_nor_fetched(
    alice: User, mallory: User, flat: Adapter, clock: FrozenClock
) -> None:
    assert flat.base_model is not None
    assert end_of(asked(alice, flat.base_model, flat), clock) == ("finished", "")
    engine = devices.engine_for(flat.base_model)
    assert engine.resident_adapters == {flat.sha256}
    request = asked(alice, flat.base_model, flat)
    owner_actions.withdraw(flat.slug, by=mallory, at=NOON)
    before = engine.vitals()
    assert claims.adapters_of_next(flat.base_model.pk) == []
    assert end_of(request, clock) == ("failed", "adapter_gone")
    assert engine.vitals() == before, "nothing was denoised and no slot was asked for"


def test_every_adapter_that_is_gone_is_named_on_page_and_api(
    alice: User, mallory: User, flat: Adapter, clock: FrozenClock, as_user: AsUser
) -> None:
    assert flat.base_model is not None
    ink = make_adapter(flat.base_model, slug="ink", owner=mallory)
    kept = make_adapter(flat.base_model, slug="kept", owner=mallory)
    request = asked(alice, flat.base_model, flat, kept, ink, count=2)
    for adapter in (flat, ink):
        owner_actions.withdraw(adapter.slug, by=mallory, at=NOON)
    assert end_of(request, clock) == ("failed", "adapter_gone")
    sentence = "The adapters “Flat” and “Ink” cannot be used any more"
    client = as_user(alice)
    body = client.get(f"/api/v1/generations/{request.id}/").json()
    assert body["failure"]["code"] == "adapter_gone"
    assert sentence in body["failure"]["message"]
    first, second = body["failed_images"]
    assert (first["index"], second["index"]) == (0, 1)
    assert sentence in first["message"]
    assert sentence in client.get("/studio/").content.decode()


def test_images_that_were_made_before_stay_and_are_all_that_is_charged(
    alice: User, mallory: User, flat: Adapter, clock: FrozenClock
) -> None:
    """Another worker made the first of two and was lost."""
    assert flat.base_model is not None
    request = asked(alice, flat.base_model, flat, created_at=clock(), count=2, made=1)
    make_image(alice, flat.base_model, request=request, index=0)
    owner_actions.withdraw(flat.slug, by=mallory, at=NOON)
    assert end_of(request, clock) == ("finished", "")
    assert [(each["index"], each["code"]) for each in request.failures] == [(1, "adapter_gone")]
    assert admission.usage_of(alice, at=clock()).images == 1


def test_live_page_says_which_adapter_is_gone(
    alice: User,
    mallory: User,
    flat: Adapter,
    clock: FrozenClock,
    as_user: AsUser,
    prompt_classifier: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert flat.base_model is not None
    request = asked(alice, flat.base_model, flat, is_live=True, created_at=clock())
    owner_actions.withdraw(flat.slug, by=mallory, at=NOON)
    assert end_of(request, clock) == ("failed", "adapter_gone")
    monkeypatch.setattr(live_views, "LOOKS", 1)
    answer = as_user(alice).get(f"/studio/live/{request.id}/")
    assert answer.status_code == 409
    assert "“Flat” cannot be used any more" in answer.json()["message"]
    assert drawing.picture(request.id, by=alice) is None
