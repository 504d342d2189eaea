"""The API as a client sees it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from adapters.models import BaseModel
from generation.models import (
    Allowance,
    GeneratedImage,
    GenerationRequest,
    ImageState,
    RequestStatus,
)
from generation.requests import prompt_screening
from moderation.cases import review_cases
from moderation.subjects.subject import Subject
from tests.factories import NOON, make_adapter, make_image, make_key, make_request, png
from tests.moderation.makers import evidence

pytestmark = pytest.mark.django_db
URL = "/api/v1/generations/"


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {make_key(user)}")
    return client


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_of(alice)


def post(api: APIClient, prompt: object = "a red apple", **said: Any) -> Any:
    headers = said.pop("headers", {})
    return api.post(URL, {"prompt": prompt, **said}, format="json", headers=headers)


def test_post_makes_a_request_and_says_where_it_is(
    api: APIClient, alice: User, model: BaseModel
) -> None:
    make_adapter(model)
    answer = post(
        api, seed=7, steps=3, guidance=2.5, width=512, height=512, model="tiny",
        negative_prompt="blue", adapters=[{"slug": "flat", "weight": 0.5}],
    )  # fmt: skip
    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == body["url"]
    made = GenerationRequest.objects.get(owner=alice)
    assert body["id"] == str(made.id)
    assert (body["status"], body["images"], body["position"]) == ("submitted", [], None)
    assert (made.seed, made.steps, made.guidance, made.width) == (7, 3, 2.5, 512)
    assert body["adapters"] == [{"slug": "flat", "weight": 0.5}]
    assert api.get(body["url"]).json() == body


def test_guidance_is_rescaled_by_models_that_can(
    api: APIClient, alice: User, model: BaseModel
) -> None:
    assert post(api, guidance_rescale=0.7).json()["guidance_rescale"] == 0.7
    assert GenerationRequest.objects.get(owner=alice).guidance_rescale == 0.7
    BaseModel.objects.update(family="flux")
    told = post(api, guidance_rescale=0.7)
    assert (told.status_code, told.json()["code"]) == (422, "guidance_not_rescaled")
    assert post(api).status_code == 201


def test_same_key_answers_with_the_first_request(api: APIClient, model: BaseModel) -> None:
    key = {"Idempotency-Key": "order-1"}
    first, again = post(api, headers=key), post(api, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    clash = post(api, "a pear", headers=key)
    assert (clash.status_code, clash.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"prompt": ""}, 422, "prompt_empty"),
        ({"prompt": "a" * 10_000}, 422, "prompt_too_long"),
        ({"steps": 0}, 422, "steps_out_of_range"),
        ({"prompt": "a\x00b"}, 400, "invalid"),
        ({"prompt": ["a"]}, 400, "invalid"),
        ({"steps": "many"}, 400, "invalid"),
        ({"steps": 10_000}, 422, "steps_out_of_range"),
        ({"width": 7}, 422, "size_not_offered"),
        ({"width": 10**30}, 422, "size_not_offered"),
        ({"model": "no-such"}, 422, "model_not_registered"),
        ({"adapters": [{"slug": "flat"}]}, 422, "adapter_not_usable"),
        ({"adapters": "flat"}, 400, "invalid"),
    ],
)
def test_bad_input_is_a_problem_with_a_code(
    api: APIClient, model: BaseModel, said: dict[str, Any], status: int, code: str
) -> None:
    answer = post(api, **said)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert (body["type"], body["status"]) == (f"/problems/{code}", status)
    assert body["title"].endswith(".")
    assert not GenerationRequest.objects.exists()


def test_accepting_takes_few_queries(
    api: APIClient,
    model: BaseModel,
    settings: Settings,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    settings.PROOFSHEET_REMEMBER_S = 60
    post(api)  # remembers the model, its speed, the allowance and who is alive
    with django_assert_max_num_queries(9):  # one of them waits for its turn (ADR 143)
        assert post(api).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_burst_is_answered_with_201_or_429_and_nothing_is_lost_or_doubled(
    alice: User, model: BaseModel
) -> None:
    Allowance.objects.create(user=alice, in_flight=12)
    key = make_key(alice)

    def send(number: int) -> tuple[int, Any]:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        try:
            answer = post(client, f"picture {number}")
            return answer.status_code, answer.json().get("id") or answer["Retry-After"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(60)))
    accepted = sorted(said for code, said in answers if code == 201)
    stored = GenerationRequest.objects.values_list("id", flat=True)
    assert accepted == sorted(map(str, stored))
    assert {code for code, _ in answers} == {201, 429}
    assert len(accepted) >= 12


def test_body_that_is_no_json_is_a_problem(api: APIClient, model: BaseModel) -> None:
    answer = api.post(URL, "{prompt:", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({f"field{number}": "x" for number in range(1001)}, 400, "too_many_fields"),
        ({"prompt": "x" * 3_000_000}, 413, "too_large"),
    ],
)
def test_form_that_django_does_not_read_is_a_problem(
    api: APIClient, model: BaseModel, body: dict[str, str], status: int, code: str
) -> None:
    answer = api.post("/api/v1/generations/", body, format="multipart")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_nobody_and_a_wrong_key_are_told_to_sign_in(model: BaseModel) -> None:
    for client in (APIClient(), APIClient(headers={"Authorization": "Bearer wrong"})):
        answer = post(client)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_session_needs_its_csrf_token(alice: User, model: BaseModel) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post(URL, {"prompt": "a"}, content_type="application/json")
    assert answer.status_code == 403
    assert client.get(URL).status_code == 200


def test_list_pages_by_cursor_newest_first(api: APIClient, alice: User, model: BaseModel) -> None:
    made = [
        make_request(alice, model, created_at=NOON + timedelta(seconds=second // 2))
        for second in range(7)
    ]
    seen, url = [], f"{URL}?page_size=3"
    while url:
        page = api.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 7
    assert seen[0] == str(made[-1].id)


def test_list_takes_as_many_queries_for_many_as_for_one(
    api: APIClient, alice: User, model: BaseModel, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_image(alice, model)
    api.get(URL)  # the key's first use in a minute is written down
    with django_assert_num_queries(4):  # key, requests, their adapters, their images
        assert len(api.get(URL).json()["results"]) == 5


def test_filters_narrow_both_lists(api: APIClient, alice: User, model: BaseModel) -> None:
    make_image(alice, model, prompt="a pear")
    make_image(alice, model, prompt="a red apple", state=ImageState.HELD)
    make_request(alice, model, status=RequestStatus.QUEUED)

    def count(path: str) -> int:
        return len(api.get(f"/api/v1/{path}").json()["results"])

    assert count("generations/") == 3
    assert count("generations/?status=queued") == 1
    assert count("generations/?prompt=PEAR") == 1
    assert count("generations/?model=other") == 0
    assert count("images/?status=held") == 1
    assert count("images/?prompt=pear&model=tiny") == 1
    assert count("images/?created_after=2027-01-01T00:00:00Z") == 0
    assert api.get("/api/v1/images/?status=odd").status_code == 400


def test_cancel_and_delete(api: APIClient, alice: User, model: BaseModel) -> None:
    request = make_request(alice, model)
    assert api.delete(f"{URL}{request.id}/").json()["code"] == "still_running"
    answer = api.post(f"{URL}{request.id}/cancel/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    again = api.post(f"{URL}{request.id}/cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert api.delete(f"{URL}{request.id}/").status_code == 204
    assert api.get(f"{URL}{request.id}/").json()["code"] == "request_not_found"


def test_cancel_while_running_is_shown_as_under_way(
    api: APIClient, alice: User, model: BaseModel
) -> None:
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    body = api.post(f"{URL}{request.id}/cancel/").json()
    assert (body["status"], body["is_cancelling"]) == ("running", True)


def test_released_image_can_be_downloaded_and_deleted(
    api: APIClient, alice: User, model: BaseModel
) -> None:
    image = make_image(alice, model)
    [row] = api.get(f"{URL}{image.request_id}/").json()["images"]
    assert row["status"] == "released"
    file = api.get(row["file_url"], headers={"Accept": "image/png"})
    assert file.content == png()
    assert (file["Content-Type"], file["Cache-Control"]) == ("image/png", "private, no-cache")
    assert api.get(row["url"]).json()["credentials"] is None  # a row that no worker marked
    assert api.delete(row["url"]).status_code == 204
    assert api.get(row["url"]).status_code == 404
    assert api.get(f"{URL}{image.request_id}/").json()["images"] == []


@pytest.mark.parametrize("state", [ImageState.HELD, ImageState.WITHHELD])
def test_file_of_an_unreleased_image_is_not_there(
    api: APIClient, alice: User, model: BaseModel, state: str
) -> None:
    image = make_image(alice, model, state=state)
    body = api.get(f"/api/v1/images/{image.id}/").json()
    assert (body["status"], body["file_url"]) == (state, None)
    answer = api.get(f"/api/v1/images/{image.id}/file/")
    assert (answer.status_code, answer.json()["code"]) == (404, "image_not_found")


def test_held_image_cannot_be_deleted(api: APIClient, alice: User, model: BaseModel) -> None:
    image = make_image(alice, model, state=ImageState.HELD)
    answer = api.delete(f"/api/v1/images/{image.id}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "under_review")


@pytest.mark.usefixtures("prompt_classifier")
def test_refusal_carries_code_statement_and_appeal(api: APIClient, model: BaseModel) -> None:
    made = GenerationRequest.objects.get(id=post(api, "an awful thing").json()["id"])
    prompt_screening.screen(made.id, at=NOON)
    body = api.get(f"{URL}{made.id}/").json()
    assert (body["status"], body["code"]) == ("refused", "prompt_refused")
    refusal = body["refusal"]
    assert (refusal["code"], refusal["is_automated"]) == ("prompt_refused", True)
    for said in ("statement_url", "appeal_url"):
        page = Client().get(refusal[said].removeprefix(settings.PUBLIC_URL))
        assert "Your prompt was refused" in page.content.decode()
    assert refusal["appeal_url"] == f"{refusal['statement_url']}/appeal"
    assert api.get(URL).json()["results"][0]["refusal"] == refusal


def test_hold_carries_the_address_of_its_state(
    api: APIClient, alice: User, model: BaseModel
) -> None:
    request = make_request(alice, model, status=RequestStatus.SUBMITTED, is_held=True)
    image = make_image(alice, model, state=ImageState.HELD)
    for kind, held in (("prompt", request), ("image", image)):
        subject = Subject(kind, held.id, alice.pk)  # type: ignore[arg-type] # one of the two
        review_cases.open_case(subject=subject, evidence=evidence(), at=timezone.now())
    body = api.get(f"{URL}{request.id}/").json()
    page = Client().get(body["waiting_url"].removeprefix(settings.PUBLIC_URL))
    assert "Your prompt waits for a person" in page.content.decode()
    [told] = api.get(f"{URL}{image.request_id}/").json()["images"]
    assert told["waiting_url"] == api.get(f"/api/v1/images/{image.id}/").json()["waiting_url"]
    assert told["waiting_url"] not in (None, body["waiting_url"])
    assert api.get(f"{URL}{image.request_id}/").json()["waiting_url"] is None


def test_failure_is_explained(api: APIClient, alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.FAILED, code="worker_lost")
    failure = api.get(f"{URL}{request.id}/").json()["failure"]
    assert failure["code"] == "worker_lost"
    assert failure["message"].endswith(".")


def test_stranger_finds_nothing(mallory: User, alice: User, model: BaseModel) -> None:
    image, queued = make_image(alice, model), make_request(alice, model)
    stranger = client_of(mallory)
    for method, path in [
        ("get", f"{URL}{queued.id}/"),
        ("delete", f"{URL}{image.request_id}/"),
        ("post", f"{URL}{queued.id}/cancel/"),
        ("get", f"/api/v1/images/{image.id}/"),
        ("delete", f"/api/v1/images/{image.id}/"),
        ("get", f"/api/v1/images/{image.id}/file/"),
        ("get", f"/api/v1/images/{uuid4()}/"),
    ]:
        assert getattr(stranger, method)(path).status_code == 404, path
    assert stranger.get(URL).json()["results"] == []
    assert stranger.get("/api/v1/images/").json()["results"] == []
    assert GeneratedImage.objects.filter(deleted_at__isnull=True).count() == 1


def test_models_list_names_sizes_and_defaults(api: APIClient, model: BaseModel) -> None:
    [row] = api.get("/api/v1/models/").json()
    assert (row["slug"], row["is_default"], row["default_steps"]) == ("tiny", True, 4)
    assert row["sizes"][0] == {"width": 256, "height": 256}


@pytest.mark.parametrize(
    ("said", "status", "told"),
    [
        ({"n": 2}, 400, "n"),
        ({"size": "512x512"}, 400, "size"),
        ({"cfg_scale": 7}, 400, "cfg_scale"),
        ({"init_images": []}, 400, "init_images"),
        ({"stepps": 3}, 400, "stepps"),
        ({"strength": 0.5}, 422, "strength_without_source"),
        ({"visible_label": "none", "visible_label_text": "AI generated"}, 422,
         "label_text_without_label"),
        ({"width": 0}, 422, "size_not_offered"),
        ({"height": 0}, 422, "size_not_offered"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", [URL, f"{URL}estimate/"])
def test_what_has_no_meaning_is_refused_by_name(
    api: APIClient, model: BaseModel, said: dict[str, Any], status: int, told: str, address: str
) -> None:
    answer = api.post(address, {"prompt": "a red apple", **said}, format="json")
    assert answer.status_code == status
    assert told in (answer.json()["errors"] if status == 400 else answer.json()["code"])
    assert not GenerationRequest.objects.exists()


def test_json_in_a_part_of_a_form_is_read(api: APIClient, alice: User, model: BaseModel) -> None:
    make_adapter(model)
    adapters = '[{"slug": "flat", "weight": 0.5}]'
    answer = api.post(URL, {"prompt": "a red apple", "adapters": adapters}, format="multipart")
    assert answer.json()["adapters"] == [{"slug": "flat", "weight": 0.5}]
