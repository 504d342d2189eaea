"""Example pictures on the way to the public: made, screened, kept, judged with the adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from adapters.models import Adapter, AdapterExample
from adapters.publishing import examples, review_request
from adapters.publishing.examples import PROMPTS, ExampleMissing, ExamplePicture
from adapters.uploads import check_job, owner_actions
from generation.models import GeneratedImage, GenerationRequest
from generation.requests import adapter_examples, prompt_screening
from generation.work import worker
from moderation.cases import review_cases
from moderation.models import ReviewCase
from moderation.subjects.subject import Subject
from tests import factories, tiny_pipeline
from tests.adapters.test_uploads import decide, send
from tests.factories import make_adapter, make_model, png
from tests.fakes import FakePromptClassifier, FrozenClock
from tests.moderation.makers import evidence

AsUser = Callable[[User], Client]
State = AdapterExample.State


@pytest.fixture
def asked(alice: User, prompt_classifier: FakePromptClassifier) -> Adapter:
    """An adapter of alice's that waits for its pictures; nothing renders."""
    adapter = make_adapter(
        make_model(), slug="ink", owner=alice, trigger="ink style", licence="CC0",
        state=Adapter.State.ACCEPTED, visibility=Adapter.Visibility.PRIVATE,
    )  # fmt: skip
    review_request.ask("ink", by=alice, licence="", has_consent=False, at=factories.NOON)
    adapter.refresh_from_db()
    return adapter


def hand_in(adapter: Adapter, *states: AdapterExample.State) -> None:
    """A result for each example, in order; FAILED is one without a picture."""
    for example, state in zip(adapter.examples.order_by("position"), states, strict=True):
        failed, picture = ExampleMissing("cancelled"), ExamplePicture(uuid4(), png(), state)
        examples.hand_in(example.id, failed if state == State.FAILED else picture)


def open_review(adapter: Adapter) -> ReviewCase | None:
    review_request.open_review(adapter.id, at=factories.NOON)
    return ReviewCase.objects.filter(subject_id=adapter.id).first()


@pytest.mark.django_db
def test_asking_orders_the_fixed_pictures_in_the_owners_name(asked: Adapter, alice: User) -> None:
    ordered = list(GenerationRequest.objects.order_by("seed"))
    assert [request.prompt for request in ordered] == [f"ink style, {text}" for text in PROMPTS]
    assert {request.owner for request in ordered} == {alice}
    assert {request.priority for request in ordered} == {-1}
    for request in ordered:
        [used] = request.request_adapters.all()
        assert (used.adapter, used.weight, used.sha256) == (asked, 1.0, asked.sha256)


@pytest.mark.django_db
def test_no_moderator_is_asked_before_the_last_picture_is_there(
    asked: Adapter, alice: User, as_user: AsUser
) -> None:
    assert open_review(asked) is None
    assert "4 to go" in as_user(alice).get("/adapters/ink/").content.decode()
    hand_in(asked, State.SHOWN, State.HELD, State.WITHHELD, State.FAILED)
    case = open_review(asked)
    assert case is not None
    assert open_review(asked) == case
    said = case.evidence["adapter"]
    assert said["picture_1"] == ("“ink style, a portrait of a woman”, seed 1: passed the screening")
    assert "held by the screening" in said["picture_2"]
    assert "could not be made (cancelled)" in said["picture_4"]
    assert case.evidence["image"]["file"].startswith("adapters/examples/")


@pytest.mark.django_db
def test_case_is_as_severe_as_the_worst_picture_that_was_stopped(asked: Adapter) -> None:
    hand_in(asked, State.SHOWN, State.HELD, State.HELD, State.SHOWN)
    for position, scores in ((1, {"hate": 0.6}), (2, {"sexual": 0.7})):
        image_id = asked.examples.get(position=position).image_id
        assert image_id is not None
        subject = Subject("image", image_id, asked.owner_id)
        shown = evidence(categories=scores, matched=[])
        review_cases.open_case(subject=subject, evidence=shown, at=factories.NOON)
    case = open_review(asked)
    assert case is not None
    assert (case.category, case.severity) == ("hate", 4)
    assert case.due_at == factories.NOON + timedelta(hours=4)


@pytest.mark.django_db
def test_case_of_pictures_that_all_passed_is_of_the_lowest_severity(asked: Adapter) -> None:
    hand_in(asked, State.SHOWN, State.SHOWN, State.SHOWN, State.FAILED)
    case = open_review(asked)
    assert case is not None
    assert (case.category, case.severity) == ("", 1)


@pytest.mark.django_db
def test_released_pictures_are_shown_in_the_catalogue_and_no_others(
    asked: Adapter, bob: User, mallory: User, as_user: AsUser
) -> None:
    hand_in(asked, State.SHOWN, State.HELD, State.WITHHELD, State.FAILED)
    case = open_review(asked)
    assert case is not None
    stranger = as_user(mallory)
    assert stranger.get("/adapters/ink/examples/0.png").status_code == 404
    decide(case, "allow", bob)
    for path in ("/adapters/", "/adapters/ink/"):
        page = stranger.get(path).content.decode()
        assert "/adapters/ink/examples/0.png" in page
        assert "examples/1.png" not in page
    answer = stranger.get("/adapters/ink/examples/0.png")
    assert (answer["Content-Type"], answer.content) == ("image/png", png())
    for hidden in (1, 2, 3, 9):
        assert stranger.get(f"/adapters/ink/examples/{hidden}.png").status_code == 404
    [shown] = stranger.get("/api/v1/adapters/ink/").json()["examples"]
    assert shown["url"] == "/adapters/ink/examples/0.png"


@pytest.mark.django_db
def test_a_decision_about_an_image_holds_for_its_copy(asked: Adapter) -> None:
    hand_in(asked, State.SHOWN, State.HELD, State.WITHHELD, State.FAILED)
    shown, held, *_ = asked.examples.order_by("position")
    assert shown.image_id is not None
    assert held.image_id is not None
    examples.follow_decision(shown.image_id, "refuse", code="image_refused")
    examples.follow_decision(held.image_id, "allow", code="")
    states = asked.examples.order_by("position").values_list("state", flat=True)
    assert list(states) == ["withheld", "shown", "withheld", "failed"]


@pytest.mark.django_db
def test_asking_again_makes_what_is_missing_and_keeps_the_rest(
    asked: Adapter, alice: User, bob: User
) -> None:
    hand_in(asked, State.SHOWN, State.SHOWN, State.SHOWN, State.FAILED)
    case = open_review(asked)
    assert case is not None
    decide(case, "allow", bob)
    review_request.unpublish("ink", by=alice)
    review_request.ask("ink", by=alice, licence="", has_consent=False, at=factories.NOON)
    assert GenerationRequest.objects.count() == len(PROMPTS) + 1
    assert examples.waiting_of(asked).count() == 1


@pytest.mark.django_db
def test_a_cancelled_request_is_collected_as_a_missing_picture(asked: Adapter) -> None:
    first = GenerationRequest.objects.order_by("seed").first()
    assert first is not None
    first.cancel(at=factories.NOON)
    adapter_examples.collect()
    states = asked.examples.order_by("position").values_list("state", "code")
    assert list(states) == [("failed", "cancelled"), *[("waiting", "")] * 3]


@pytest.fixture
def tiny(tiny_folder: Path) -> Iterator[None]:
    factories.register_folder(tiny_folder)
    yield
    factories.forget_models()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("tiny", "prompt_classifier", "image_classifier")
def test_pictures_pass_the_whole_way_and_a_withdrawal_stops_the_last_one(
    alice: User, bob: User, as_user: AsUser, tiny_folder: Path, tmp_path: Path, clock: FrozenClock
) -> None:
    file = tiny_pipeline.build_adapter(tmp_path / "a.safetensors", tiny_folder)
    send(as_user(alice), file.read_bytes(), licence="CC0")
    adapter = Adapter.objects.get()
    check_job.validate(adapter.id, now=clock)
    review_request.ask(adapter.slug, by=alice, licence="", has_consent=False, at=clock())
    for request in GenerationRequest.objects.all():
        prompt_screening.screen(request.id, at=clock())
    for _ in PROMPTS[1:]:
        assert worker.work_one(now=clock)
    owner_actions.withdraw(adapter.slug, by=alice, at=clock())
    assert worker.work_one(now=clock)
    ends = GenerationRequest.objects.values_list("status", "code")
    assert sorted(ends) == [("failed", "adapter_gone"), *[("finished", "")] * len(PROMPTS[1:])]
    adapter_examples.collect()
    made = adapter.examples.exclude(state=AdapterExample.State.FAILED)
    copies = {row.image_id: row.file.read() for row in made}
    assert copies == {image.id: image.file.read() for image in GeneratedImage.objects.all()}
    assert open_review(adapter) is None
