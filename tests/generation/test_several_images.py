"""Several images of one request: a seed each, shown as they come, none lost when another fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from numpy.typing import NDArray
from rest_framework.test import APIClient

from adapters.models import BaseModel
from generation.engine.jobs import Rendered
from generation.line import claims
from generation.models import Allowance, GeneratedImage, GenerationRequest
from generation.request_rules.parameters import CountOutOfRange, RequestParameters
from generation.requests import admission, submitting
from generation.studio import own_requests
from generation.work import completion, sweeper, worker
from provenance.manifests.content_credentials import SigningFailed
from provenance.models import Asset
from tests.factories import NOON, make_request
from tests.fakes import FakeImageClassifier, FrozenClock

pytestmark = pytest.mark.django_db(transaction=True)
AsUser = Callable[[User], Client]


@pytest.fixture
def at_screening(image_classifier: FakeImageClassifier) -> Callable[[int, Callable[[], Any]], None]:
    """`at_screening(2, act)`: call `act` while the second picture is screened."""

    def when(number: int, act: Callable[[], Any]) -> None:
        seen: list[None] = []

        def score(data: bytes) -> dict[str, float]:
            seen.append(None)
            return {"sexual": act() or 0.0} if len(seen) == number else {"sexual": 0.0}

        image_classifier.score = score  # type: ignore[method-assign] # what happens meanwhile

    return when


def indices() -> list[int]:
    return sorted(GeneratedImage.objects.values_list("index", flat=True))


def raising(error: Exception) -> Callable[..., float]:
    def act(*_: object, **__: object) -> float:
        raise error

    return act


def test_each_image_is_the_one_that_its_seed_gives_alone(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[NDArray[np.uint8]] = []
    complete = completion.complete

    def note(claim: Any, request: Any, index: int, made: Rendered, *rest: Any, **said: Any) -> None:
        seen.append(made.pixels)
        complete(claim, request, index, made, *rest, **said)

    monkeypatch.setattr(completion, "complete", note)
    request = make_request(alice, tiny, count=3, seed=2**32 - 2)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.made, request.failures) == ("finished", 3, [])
    images = list(GeneratedImage.objects.order_by("index"))
    assert [(i.index, i.seed, i.state) for i in images] == [
        (0, 2**32 - 2, "released"),
        (1, 2**32 - 1, "released"),
        (2, 0, "released"),
    ]
    assert Asset.objects.count() == 3
    for place, image in enumerate(images):
        make_request(alice, tiny, seed=image.seed)
        worker.work_one(now=clock)
        assert np.abs(seen[place].astype(int) - seen[3 + place]).max() <= 1
    assert not np.array_equal(seen[0], seen[1])


def test_pictures_are_shown_as_they_come(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    at_screening: Callable[..., None],
    clock: FrozenClock,
) -> None:
    request = make_request(alice, tiny, count=3)
    pages: list[str] = []
    client = as_user(alice)

    def look() -> None:
        pages.append(client.get(f"/requests/{request.id}/").content.decode())

    at_screening(2, look)
    worker.work_one(now=clock)
    first = GeneratedImage.objects.get(index=0)
    assert f"/images/{first.id}/file/" in pages[0]
    assert "1 of 3 made" in pages[0]
    assert pages[0].count("is-developing") == 2
    assert client.get(f"/requests/{request.id}/").content.decode().count("/file/") == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [(SigningFailed(), "signing_failed"), (RuntimeError("cut off"), "render_failed")],
)
def test_one_that_fails_does_not_lose_the_others(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    at_screening: Callable[..., None],
    clock: FrozenClock,
    error: Exception,
    code: str,
) -> None:
    request = make_request(alice, tiny, count=3)
    at_screening(2, raising(error))
    with suppress(RuntimeError):  # what nobody foresaw is told to the worker's log too
        worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, indices()) == ("finished", [0, 2])
    assert request.failures == [{"index": 1, "code": code}]
    page = as_user(alice).get(f"/requests/{request.id}/").content.decode()
    assert "Image 2 of 3 (seed 8) failed" in page
    client = APIClient()
    client.force_authenticate(alice)
    [failed] = client.get(f"/api/v1/generations/{request.id}/").json()["failed_images"]
    assert (failed["index"], failed["seed"], failed["code"]) == (1, 8, code)


def test_a_request_fails_when_every_image_of_it_does(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = make_request(alice, tiny, count=2)
    monkeypatch.setattr(completion, "_seal", raising(SigningFailed()))
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.code) == ("failed", "signing_failed")


def test_one_that_is_withheld_leaves_the_others_released(
    alice: User, tiny: BaseModel, at_screening: Callable[..., None], clock: FrozenClock
) -> None:
    make_request(alice, tiny, count=2)
    at_screening(1, lambda: 0.99)
    worker.work_one(now=clock)
    states = GeneratedImage.objects.order_by("index").values_list("state", flat=True)
    assert list(states) == ["withheld", "released"]


def test_cancelling_keeps_what_is_made_and_stops_the_rest(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    at_screening: Callable[..., None],
    clock: FrozenClock,
) -> None:
    request = make_request(alice, tiny, count=4, created_at=clock())
    at_screening(2, lambda: own_requests.cancel(request.id, by=alice, at=clock()) and None)
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, indices(), request.made) == ("cancelled", [0], 1)
    page = as_user(alice).get("/studio/").content.decode()
    assert "Cancelled" in page
    assert f"/images/{GeneratedImage.objects.get().id}/file/" in page
    assert admission.usage_of(alice, at=clock()).images == 1


def test_second_attempt_makes_only_what_the_first_did_not(
    alice: User, tiny: BaseModel, at_screening: Callable[..., None], clock: FrozenClock
) -> None:
    request = make_request(alice, tiny, count=3)

    def lose_the_lease() -> None:
        sweeper.sweep(at=clock.forward(claims.LEASE.total_seconds() + 1))

    at_screening(2, lose_the_lease)
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, indices()) == ("queued", [0])
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts, indices()) == ("finished", 2, [0, 1, 2])
    assert Asset.objects.count() == 3


def test_what_was_made_stays_when_the_attempts_are_used_up(
    alice: User, tiny: BaseModel, at_screening: Callable[..., None], clock: FrozenClock
) -> None:
    request = make_request(alice, tiny, count=2, attempts=claims.ATTEMPTS_MAX - 1)

    def lose_the_lease() -> None:
        sweeper.sweep(at=clock.forward(claims.LEASE.total_seconds() + 1))

    at_screening(2, lose_the_lease)
    worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, indices()) == ("finished", [0])
    assert request.failures == [{"index": 1, "code": "worker_lost"}]


def test_quota_and_cost_count_every_image(alice: User, model: BaseModel) -> None:
    Allowance.objects.create(user=alice, images_a_day=4)
    one = submitting.submit(RequestParameters(prompt="a"), by=alice, at=NOON).request
    two = submitting.submit(RequestParameters(prompt="a", count=2), by=alice, at=NOON).request
    assert two.predicted_ms == 2 * one.predicted_ms
    assert admission.usage_of(alice, at=NOON).images == 3
    with pytest.raises(admission.QuotaUsedUp):
        submitting.submit(RequestParameters(prompt="a", count=2), by=alice, at=NOON)
    submitting.submit(RequestParameters(prompt="a", count=1), by=alice, at=NOON)


@pytest.mark.parametrize("count", [0, 5, 10_000])
def test_count_out_of_range_is_told(alice: User, model: BaseModel, count: int) -> None:
    with pytest.raises(CountOutOfRange):
        submitting.submit(RequestParameters(prompt="a", count=count), by=alice, at=NOON)
    client = APIClient()
    client.force_authenticate(alice)
    answer = client.post("/api/v1/generations/", {"prompt": "a", "count": count}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "count_out_of_range")
    assert not GenerationRequest.objects.exists()


def test_api_says_how_many_were_asked_for(alice: User, model: BaseModel) -> None:
    client = APIClient()
    client.force_authenticate(alice)
    answer = client.post("/api/v1/generations/", {"prompt": "a", "count": 3}, format="json")
    body = answer.json()
    assert (body["count"], body["images"], body["failed_images"]) == (3, [], [])
