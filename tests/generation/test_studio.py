"""The studio: writing a request, and what its sheet shows of each state. No script needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from adapters.models import BaseModel
from generation.hardware import worker_processes
from generation.models import GenerationRequest, ImageState, RequestStatus
from generation.progress import previews
from generation.requests import prompt_screening
from tests.factories import make_adapter, make_image, make_model, make_request
from tests.fakes import FakePromptClassifier

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def filled_in(client: Client) -> dict[str, str]:
    """What a browser sends when only a prompt was typed into the form."""
    page = client.get("/studio/").content.decode()
    form = re.search(r'<form id="compose".*?</form>', page, re.S)
    assert form is not None
    names = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
    ticked = re.findall(r'<input type="radio" name="([^"]+)" value="([^"]*)"[^>]*checked', form[0])
    return names | dict(ticked) | {"prompt": "a red apple", "model": "tiny"}


def test_submitting_makes_one_request_with_the_models_settings(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    answer = client.post("/studio/submit/", filled_in(client))
    made = GenerationRequest.objects.get(owner=alice)
    assert answer.status_code == 302
    assert answer["Location"] == f"/studio/?like={made.id}#sheet"
    assert (made.prompt, made.steps, made.width) == ("a red apple", 4, 256)
    page = client.get(answer["Location"]).content.decode()
    assert "Screening the prompt" in page
    assert f"/requests/{made.id}/cancel/" in page


def test_sending_the_same_form_twice_submits_it_once(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    form = filled_in(client)
    first = client.post("/studio/submit/", form)
    second = client.post("/studio/submit/", form)
    assert first["Location"] == second["Location"]
    assert GenerationRequest.objects.count() == 1


def test_htmx_gets_the_bench_with_the_new_request_on_its_sheet(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    answer = client.post("/studio/submit/", filled_in(client), headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in page
    assert page.count("data-request=") == 1
    assert ">a red apple</textarea>" in page.replace("\n", "")


def test_several_images_are_one_request_whose_seeds_count_up(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    client.post("/studio/submit/", filled_in(client) | {"count": "3", "seed": "10"})
    made = GenerationRequest.objects.get()
    assert (made.count, [made.seed_of(index) for index in range(3)]) == (3, [10, 11, 12])
    page = client.get("/studio/").content.decode()
    assert "Seeds 10 to 12" in page
    assert page.count("is-developing") == 3


def test_quick_takes_the_models_few_steps(alice: User, model: BaseModel, as_user: AsUser) -> None:
    client = as_user(alice)
    client.post("/studio/submit/", filled_in(client) | {"pace": "quick"})
    assert GenerationRequest.objects.get().steps == model.few_steps


def test_adapters_are_kept_with_their_weights(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    make_adapter(model, slug="flat")
    make_adapter(model, slug="ink")
    client = as_user(alice)
    client.post("/studio/submit/", filled_in(client) | {"weight_flat": "0.8", "weight_ink": "0"})
    [used] = GenerationRequest.objects.get().request_adapters.all()
    assert (used.adapter.slug, used.weight) == ("flat", 0.8)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"prompt": ""}, "The prompt is empty."),
        ({"prompt": "\x07\u202e  "}, "The prompt is empty."),
        ({"prompt": "apple " * 400}, "longer than 2000 characters"),
        ({"prompt": "a" * 10_000}, "longer than 2000 characters"),
        ({"prompt": "a" * 30_000}, "at most 20000 characters"),
        ({"pace": "own", "steps": "0"}, "number of steps is out of range"),
        ({"pace": "own", "steps": "10000"}, "number of steps is out of range"),
        ({"guidance": "nan"}, "Enter a number."),
        ({"guidance": "99"}, "guidance is out of range"),
        ({"seed": "-1"}, "seed is out of range"),
        ({"size": "9999x9999"}, "Select a valid choice"),
        ({"model": "no-such-model"}, "Select a valid choice"),
        ({"count": "400"}, "Select a valid choice"),
    ],
)
def test_bad_input_is_answered_with_one_sentence_and_nothing_is_made(
    alice: User, model: BaseModel, as_user: AsUser, changed: dict[str, str], sentence: str
) -> None:
    client = as_user(alice)
    form = filled_in(client) | changed
    for headers in ({}, HTMX):
        answer = client.post("/studio/submit/", form, headers=headers)
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert not GenerationRequest.objects.exists()


@pytest.mark.parametrize("prompt", ["🍎", "تفاحة حمراء", "a" * 78 * 2, "<script>alert(1)</script>"])
def test_unusual_prompts_are_taken_and_shown_escaped(
    alice: User, model: BaseModel, as_user: AsUser, prompt: str
) -> None:
    client = as_user(alice)
    answer = client.post("/studio/submit/", filled_in(client) | {"prompt": prompt}, follow=True)
    assert GenerationRequest.objects.get().prompt == prompt
    assert "<script>alert" not in answer.content.decode()


def test_studio_without_a_model_says_whom_to_ask(alice: User, as_user: AsUser) -> None:
    page = as_user(alice).get("/studio/").content.decode()
    assert "No model has been registered yet" in page
    assert "Generate</button>" not in page


def test_link_with_an_image_copies_its_settings(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model, prompt="a blue whale", seed=4711)
    page = as_user(alice).get(f"/studio/?copy={image.id}").content.decode()
    assert "a blue whale</textarea>" in page
    assert 'value="4711"' in page


def test_settings_of_someone_elses_image_cannot_be_copied(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model, prompt="a blue whale")
    for path in (f"/studio/?copy={image.id}", f"/studio/?like={image.request_id}"):
        answer = as_user(mallory).get(path)
        assert answer.status_code == 404
        assert "blue whale" not in answer.content.decode()


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (RequestStatus.SUBMITTED, {}, ["Screening the prompt", "Cancel"]),
        (RequestStatus.SUBMITTED, {"is_held": True}, ["Held for review", "a moderator reads it"]),
        (RequestStatus.QUEUED, {}, ["Waiting in line", "No worker draws", "Cancel"]),
        (RequestStatus.RUNNING, {}, ["Developing", "Step 0 of 4", "Cancel"]),
        (RequestStatus.CANCELLED, {}, ["Cancelled", "Edit and try again", "Remove"]),
        (RequestStatus.FAILED, {}, ["Failed", "render_failed", "tell the operator the code"]),
        (RequestStatus.FAILED, {"code": "not_finite"}, ["not_finite", "Lower the adapter weights"]),
    ],
)
def test_sheet_says_where_each_request_stands_and_what_to_do(
    alice: User,
    model: BaseModel,
    as_user: AsUser,
    status: str,
    said: dict[str, object],
    words: list[str],
) -> None:
    found = make_request(alice, model, status=status, **said)
    for path in ("/studio/", f"/requests/{found.id}/"):
        page = as_user(alice).get(path).content.decode()
        for word in words:
            assert word in page


def test_a_refused_prompt_shows_its_code_and_leads_to_its_statement(
    alice: User, model: BaseModel, as_user: AsUser, prompt_classifier: FakePromptClassifier
) -> None:
    found = make_request(alice, model, status=RequestStatus.SUBMITTED, prompt="something awful")
    prompt_screening.screen(found.id, at=timezone.now())
    page = as_user(alice).get(f"/requests/{found.id}/").content.decode()
    assert "The prompt was refused" in page
    assert "by the automatic screening" in page
    link = re.search(r'href="(/statements/[^"]+)"', page)
    assert link is not None
    assert as_user(alice).get(link[1]).status_code == 200


def test_place_in_line_counts_those_before(alice: User, model: BaseModel, as_user: AsUser) -> None:
    now = timezone.now()
    worker_processes.announce("render@here", queues=["gpu"], slots=10, at=now)
    make_request(alice, model, created_at=now - timedelta(minutes=1))
    last = make_request(alice, model, created_at=now)
    assert "Place 2 in line" in as_user(alice).get(f"/requests/{last.id}/").content.decode()


def test_preview_is_shown_to_its_owner_alone(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser
) -> None:
    found = make_request(alice, model, status=RequestStatus.RUNNING)
    path = f"/requests/{found.id}/preview/"
    assert as_user(alice).get(path).status_code == 404
    previews.publish(found.id, previews.RenderProgress("denoise", 2, 4, preview=b"RIFFsmall"))
    answer = as_user(alice).get(path)
    assert (answer.content, answer["Content-Type"]) == (b"RIFFsmall", "image/webp")
    assert "private" in answer["Cache-Control"]
    assert as_user(mallory).get(path).status_code == 404
    previews.forget(found.id)


def test_a_waiting_request_is_cancelled_at_once(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    found = make_request(alice, model)
    answer = as_user(alice).post(f"/requests/{found.id}/cancel/", follow=True)
    assert "Cancelled" in answer.content.decode()
    found.refresh_from_db()
    assert found.status == RequestStatus.CANCELLED


def test_a_running_request_shows_that_it_is_being_cancelled(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    found = make_request(alice, model, status=RequestStatus.RUNNING)
    answer = as_user(alice).post(f"/requests/{found.id}/cancel/", headers=HTMX)
    page = answer.content.decode()
    assert "Cancelling" in page
    assert "<html" not in page
    assert "/cancel/" not in page


def test_cancelling_what_has_ended_is_a_conflict(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    found = make_request(alice, model, status=RequestStatus.FINISHED)
    answer = as_user(alice).post(f"/requests/{found.id}/cancel/")
    assert answer.status_code == 409
    assert "already moved on" in answer.content.decode()


def test_an_ended_request_can_be_cleared_off_the_sheet(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    found = make_request(alice, model, status=RequestStatus.CANCELLED, prompt="a torn page")
    answer = client.post(f"/requests/{found.id}/remove/")
    assert answer.status_code == 302
    assert "a torn page" not in client.get("/studio/").content.decode()


def test_an_active_request_cannot_be_cleared_away(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    found = make_request(alice, model)
    assert as_user(alice).post(f"/requests/{found.id}/remove/").status_code == 409


def test_a_held_picture_says_what_happens_next(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    image = make_image(alice, model, state=ImageState.HELD)
    page = as_user(alice).get(f"/requests/{image.request_id}/").content.decode()
    assert "a moderator looks at it first" in page
    assert f"/images/{image.id}/file/" not in page


@pytest.mark.parametrize("verb", ["", "cancel/", "remove/", "preview/"])
def test_someone_elses_request_is_not_there(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser, verb: str
) -> None:
    found = make_request(alice, model)
    client = as_user(mallory)
    for request_id in (found.id, uuid4()):
        path = f"/requests/{request_id}/{verb}"
        answer = client.post(path) if verb in {"cancel/", "remove/"} else client.get(path)
        assert answer.status_code == 404
    found.refresh_from_db()
    assert found.status == RequestStatus.QUEUED


def test_choosing_another_model_shows_its_styles(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    other = make_model(slug="other", name="Other", is_default=False)
    make_adapter(model, slug="flat")
    make_adapter(other, slug="ink")
    page = as_user(alice).get("/studio/?model=other").content.decode()
    assert "weight_ink" in page
    assert "weight_flat" not in page


def test_link_may_bring_a_prompt_and_an_adapter(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    make_adapter(model, slug="flat")
    page = as_user(alice).get("/studio/?prompt=flat+art&weight_flat=0.8").content.decode()
    assert "flat art</textarea>" in page
    assert 'name="weight_flat" value="0.8"' in page


def test_studio_tells_cost_and_wait_before_anything_is_sent(
    alice: User, bob: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    said = filled_in(client)
    assert "Takes about 1.1 s and begins at once." in client.get("/studio/").content.decode()
    del said["prompt"]
    make_request(bob, model, predicted_ms=9000)
    answer = client.post("/studio/estimate/", said | {"count": "3"}, headers=HTMX)
    assert "Takes about 3.3 s and begins in about 9 s." in answer.content.decode()
    assert not GenerationRequest.objects.filter(owner=alice).exists()


def test_estimate_of_a_full_line_says_so_and_of_a_wrong_form_nothing(
    alice: User, bob: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    said = filled_in(client)
    make_request(bob, model, predicted_ms=900_000)
    answer = client.post("/studio/estimate/", said, headers=HTMX)
    assert "The line is full" in answer.content.decode()
    answer = client.post("/studio/estimate/", said | {"guidance": "much"}, headers=HTMX)
    assert answer.status_code == 200
    assert "about" not in answer.content.decode()


def test_what_of_the_prompts_had_no_effect_is_said_once(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    note = {"code": "prompt_weight", "message": "“9” is no weight from 0 to 4."}
    request = make_request(alice, model, status=RequestStatus.FINISHED, count=2)
    for index in (0, 1):
        make_image(alice, model, request=request, index=index, notes=[note])
    page = as_user(alice).get("/studio/").content.decode()
    assert page.count(note["message"]) == 1
