"""Submitting, cancelling and deleting, by the one whose request it is."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import User
from django.db import connection

from adapters import catalogue
from adapters.models import BaseModel
from generation import drafts, requests
from generation.drafts import Draft
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    RequestStatus,
    WrongState,
    private_storage,
)
from provenance.errors import ProofsheetError
from tests.factories import NOON, make_adapter, make_image, make_request

pytestmark = pytest.mark.django_db


def submit(by: User, prompt: str = "a red apple", **said: object) -> GenerationRequest:
    draft = Draft(prompt=prompt, **said)  # type: ignore[arg-type] # the tests name real fields
    return requests.submit(draft, by=by, at=NOON).request


def test_submit_fills_in_what_the_model_is_used_to(alice: User, model: BaseModel) -> None:
    made = submit(alice)
    assert (made.status, made.steps, made.guidance) == ("submitted", 4, model.default_guidance)
    assert (made.width, made.height) == (256, 256)
    assert 0 <= made.seed <= drafts.SEED_MAX


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("  a\tred\n\napple\x00\x07 ", "a red apple"),
        ("\u202eelppa der a\u202c", "elppa der a"),
        ("تفاحة حمراء", "تفاحة حمراء"),
        ("תפוח אדום", "תפוח אדום"),
        ("🍎", "🍎"),
        ("👩‍🚀🏽", "👩‍🚀🏽"),
        ("e\u0301clair", "éclair"),
        ("word " * 100, ("word " * 100).strip()),
    ],
)
def test_unusual_prompts_are_taken_as_they_read(
    alice: User, model: BaseModel, prompt: str, kept: str
) -> None:
    assert submit(alice, prompt).prompt == kept


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"prompt": ""}, drafts.PromptEmpty),
        ({"prompt": " \n\t\x00\u200d"}, drafts.PromptEmpty),
        ({"prompt": "a" * 2001}, drafts.PromptTooLong),
        ({"prompt": "a", "negative_prompt": "b" * 10_000}, drafts.PromptTooLong),
        ({"prompt": "a", "steps": 0}, drafts.StepsOutOfRange),
        ({"prompt": "a", "steps": 10_000}, drafts.StepsOutOfRange),
        ({"prompt": "a", "guidance": float("nan")}, drafts.GuidanceOutOfRange),
        ({"prompt": "a", "seed": -1}, drafts.SeedOutOfRange),
        ({"prompt": "a", "seed": 2**32}, drafts.SeedOutOfRange),
        ({"prompt": "a", "width": 513}, drafts.SizeNotOffered),
        ({"prompt": "a", "width": 0, "height": -4}, drafts.SizeNotOffered),
        ({"prompt": "a", "height": 10**9}, drafts.SizeNotOffered),
        ({"prompt": "a", "model": "no-such"}, catalogue.ModelNotRegistered),
        ({"prompt": "a", "adapters": (("nobody", 1.0),)}, catalogue.AdapterNotUsable),
        ({"prompt": "a", "adapters": (("flat", 9.0),)}, drafts.AdapterWeightOutOfRange),
        ({"prompt": "a", "adapters": (("flat", 1.0),) * 2}, drafts.TooManyAdapters),
    ],
)
def test_bad_input_is_told_in_one_sentence_and_nothing_is_kept(
    alice: User, model: BaseModel, said: dict[str, object], error: type[ProofsheetError]
) -> None:
    make_adapter(model)
    with pytest.raises(error) as told:
        submit(alice, **said)  # type: ignore[arg-type] # each case names the prompt too
    assert told.value.code
    assert told.value.message.endswith(".")
    assert not GenerationRequest.objects.exists()


def test_submit_refuses_where_no_model_is_registered(alice: User) -> None:
    with pytest.raises(catalogue.NoModel):
        submit(alice)


def test_adapter_of_somebody_else_cannot_be_used(
    alice: User, mallory: User, model: BaseModel
) -> None:
    make_adapter(model, owner=mallory, state="accepted", visibility="private")
    with pytest.raises(catalogue.AdapterNotUsable):
        submit(alice, adapters=(("flat", 1.0),))


def test_adapters_keep_their_order_weight_and_digest(alice: User, model: BaseModel) -> None:
    first, second = make_adapter(model, slug="one"), make_adapter(model, slug="two")
    made = submit(alice, adapters=(("two", 0.5), ("one", -1.0)))
    rows = made.request_adapters.order_by("position")
    assert [(row.adapter, row.weight, row.sha256) for row in rows] == [
        (second, 0.5, second.sha256),
        (first, -1.0, first.sha256),
    ]


def test_same_key_and_body_is_the_same_request(alice: User, bob: User, model: BaseModel) -> None:
    draft = Draft(prompt="a red apple")
    first = requests.submit(draft, by=alice, at=NOON, idempotency_key="k")
    again = requests.submit(draft, by=alice, at=NOON, idempotency_key="k")
    other = requests.submit(draft, by=bob, at=NOON, idempotency_key="k")
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert first.request == again.request != other.request


def test_same_key_with_another_body_is_refused(alice: User, model: BaseModel) -> None:
    requests.submit(Draft(prompt="a red apple"), by=alice, at=NOON, idempotency_key="k")
    with pytest.raises(requests.KeyReused):
        requests.submit(Draft(prompt="a pear"), by=alice, at=NOON, idempotency_key="k")
    with pytest.raises(requests.KeyTooLong):
        requests.submit(Draft(prompt="a pear"), by=alice, at=NOON, idempotency_key="k" * 201)


@pytest.mark.django_db(transaction=True)
def test_eight_equal_submissions_at_once_make_one_request(alice: User, model: BaseModel) -> None:
    start, made = Barrier(8), []

    def send() -> None:
        start.wait()
        try:
            draft = Draft(prompt="a red apple", seed=1)
            made.append(requests.submit(draft, by=alice, at=NOON, idempotency_key="once"))
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert sum(submission.is_new for submission in made) == 1
    assert GenerationRequest.objects.count() == 1


@pytest.mark.parametrize("status", [RequestStatus.SUBMITTED, RequestStatus.QUEUED])
def test_cancel_while_waiting_ends_it_at_once(alice: User, model: BaseModel, status: str) -> None:
    request = make_request(alice, model, status=status)
    assert requests.cancel(request.id, by=alice, at=NOON).status == "cancelled"


def test_cancel_while_running_asks_the_worker(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    found = requests.cancel(request.id, by=alice, at=NOON)
    assert (found.status, found.cancel_requested_at) == ("running", NOON)


@pytest.mark.parametrize("status", ["finished", "refused", "cancelled", "failed"])
def test_cancel_refuses_what_has_ended(alice: User, model: BaseModel, status: str) -> None:
    request = make_request(alice, model, status=status)
    with pytest.raises(WrongState):
        requests.cancel(request.id, by=alice, at=NOON)


def test_stranger_is_told_that_nothing_is_there(
    alice: User, mallory: User, model: BaseModel
) -> None:
    image = make_image(alice, model)
    for call in (requests.cancel, requests.delete_request):
        with pytest.raises(requests.RequestNotFound):
            call(image.request_id, by=mallory, at=NOON)
    with pytest.raises(requests.RequestNotFound):
        requests.find_request(image.request_id, by=mallory)
    with pytest.raises(requests.ImageNotFound):
        requests.find_released_image(image.id, by=mallory)
    with pytest.raises(requests.ImageNotFound):
        requests.delete_image(image.id, by=mallory, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_deleting_a_request_deletes_its_files(alice: User, model: BaseModel) -> None:
    image = make_image(alice, model)
    name = str(image.file.name)
    requests.delete_request(image.request_id, by=alice, at=NOON)
    assert not private_storage().exists(name)
    assert not requests.images_of(alice).exists()
    assert not requests.requests_of(alice).exists()
    assert GeneratedImage.objects.get().deleted_at == NOON


def test_running_request_and_held_image_cannot_be_deleted(alice: User, model: BaseModel) -> None:
    running = make_request(alice, model, status=RequestStatus.RUNNING)
    with pytest.raises(requests.StillRunning):
        requests.delete_request(running.id, by=alice, at=NOON)
    held = make_image(alice, model, state=ImageState.HELD)
    for call, subject in (
        (requests.delete_request, held.request_id),
        (requests.delete_image, held.id),
    ):
        with pytest.raises(requests.UnderReview):
            call(subject, by=alice, at=NOON)
