"""`/v1/images/…` as OpenAI's clients use it, on a real database with the model that ships."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from adapters.models import BaseModel
from config.models import ApiKey
from generation.compat import waiting
from generation.compat.jobs import Job
from generation.models import GeneratedImage, GenerationRequest, ImageState
from tests.factories import make_image
from tests.fakes import FakeImageClassifier, FakePromptClassifier
from tests.generation.house_at_work import at_work
from tests.generation.openai_client import ask, client_of, error_of, picture_in
from tests.projects.makers import join, make_project, project_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
) -> Iterator[BaseModel]:
    with at_work():
        yield tiny


@pytest.fixture
def api(alice: User) -> Client:
    return client_of(alice)


# ---------------------------------------------------------------- pictures


def test_whoever_waits_keeps_no_connection(
    api: Client, house: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_over, kept = waiting.until_over, []

    async def watched(job: Job) -> Job:
        kept.append(await sync_to_async(lambda: connection.connection)())
        return await until_over(job)

    monkeypatch.setattr(waiting, "until_over", watched)
    assert ask(api).status_code == 200
    assert kept == [None]


def test_a_picture_comes_as_base64_with_what_auto_became(api: Client, house: BaseModel) -> None:
    answer = ask(api, model="tiny", response_format=None, safety_identifier="u-1")
    body = answer.json()
    assert answer.status_code == 200, body
    [item] = body["data"]
    assert picture_in(item).size == (256, 256)
    assert picture_in(item).format == "PNG"
    look = {name: body[name] for name in ("background", "output_format", "size")}
    assert look == {"background": "opaque", "output_format": "png", "size": "256x256"}
    assert body["safety_identifier"] == "u-1"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens_details"] == {"text_tokens": 3, "image_tokens": 0}
    assert usage["output_tokens"] == 256
    assert answer["x-request-id"].startswith("req_")
    assert answer["x-ratelimit-limit-requests"] == "100000"
    assert answer["x-ratelimit-remaining-requests"] == "99999"
    assert answer["x-ratelimit-reset-requests"].endswith("ms")
    assert GenerationRequest.objects.get().id.hex == answer["x-proofsheet-generation"].replace(
        "-", ""
    )


@pytest.mark.parametrize(("name", "kind"), [("webp", "WEBP"), ("jpeg", "JPEG")])
def test_a_picture_comes_in_the_asked_format(
    api: Client, house: BaseModel, name: str, kind: str
) -> None:
    body = ask(api, output_format=name, output_compression=80).json()
    assert picture_in(body["data"][0]).format == kind


def test_up_to_ten_pictures_come_in_order_of_their_seeds(api: Client, house: BaseModel) -> None:
    body = ask(api, n=6, seed=2**32 - 3).json()
    assert [item["seed"] for item in body["data"]] == [2**32 - 3, 2**32 - 2, 2**32 - 1, 0, 1, 2]
    assert GenerationRequest.objects.count() == 2
    assert body["usage"]["output_tokens"] == 6 * 256


def test_what_clients_send_unasked_changes_nothing(api: Client, house: BaseModel) -> None:
    said = {"quality": "standard", "style": "vivid", "moderation": "low", "user": "u", "size": None}
    assert ask(api, model="gpt-image-1", background="auto", **said).status_code == 200


def test_the_low_quality_takes_few_steps(api: Client, house: BaseModel) -> None:
    body = ask(api, quality="low", steps=None).json()
    assert body["quality"] == "low"
    assert GenerationRequest.objects.get().steps == house.few_steps


def test_our_own_members_reach_the_request(api: Client, house: BaseModel) -> None:
    said = {"negative_prompt": "blue", "guidance": 3.5, "size": "256x256"}
    assert ask(api, **said).status_code == 200
    made = GenerationRequest.objects.get()
    assert (made.negative_prompt, made.guidance, made.seed, made.steps) == ("blue", 3.5, 7, 2)


def test_an_address_opens_one_picture_without_a_key(
    api: Client, house: BaseModel, client: Client
) -> None:
    [item] = ask(api, response_format="url").json()["data"]
    path = item["url"].removeprefix("http://testserver")
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get(f"{path}x").status_code == 404
    GeneratedImage.objects.update(state=ImageState.WITHHELD)
    assert client.get(path).status_code == 404


def test_an_address_is_good_for_more_than_an_hour_and_not_for_ever(
    api: Client, alice: User, model: BaseModel, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generation.compat import signed_pictures

    path = signed_pictures.path_of(make_image(alice, model), "png")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61 * 60)
    assert client.get(path).status_code == 200
    monkeypatch.setattr(time, "time", lambda: now + 3 * 3600)
    assert client.get(path).status_code == 404


# ---------------------------------------------------------------- refusals and holds


def test_a_refusal_says_reason_and_address_in_its_message(api: Client, house: BaseModel) -> None:
    answer = ask(api, "something awful")
    assert answer.status_code == 400
    error = error_of(answer)
    assert error["message"].startswith(
        "Your request was rejected as a result of the safety system: sexual content."
    )
    assert error["message"].isascii()
    assert "\n" not in error["message"]
    assert error["message"].endswith(f"Reasons and appeal: {error['statement_url']}")
    assert error["appeal_url"] == f"{error['statement_url']}/appeal"
    assert "/r/" in error["statement_url"]
    assert (error["type"], error["code"]) == ("image_generation_user_error", "moderation_blocked")
    assert error["moderation_details"] == {"moderation_stage": "input", "categories": ["sexual"]}
    assert answer["x-appeal-url"] == error["appeal_url"]
    assert answer["x-statement-url"] == error["statement_url"]
    assert "Retry-After" not in answer


def test_a_refused_picture_is_told_as_output(
    api: Client, house: BaseModel, image_classifier: FakeImageClassifier
) -> None:
    image_classifier.sexual = 0.99
    error = error_of(ask(api))
    assert error["moderation_details"] == {"moderation_stage": "output", "categories": ["sexual"]}


def test_some_refused_pictures_leave_the_others(
    api: Client, house: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.classifiers import image

    class Second:
        name, version, calls = "second", "1", 0

        def score(self, data: bytes) -> dict[str, float]:
            self.calls += 1
            return {"sexual": 0.99 if self.calls == 2 else 0.0}

    second = Second()
    monkeypatch.setattr(image, "classifier", lambda: second)
    answer = ask(api, n=3)
    assert (answer.status_code, len(answer.json()["data"])) == (200, 2)


@pytest.mark.parametrize("is_of_prompt", [True, False])
def test_a_hold_is_told_and_never_sent_again_by_a_library(
    api: Client, house: BaseModel, image_classifier: FakeImageClassifier, is_of_prompt: bool
) -> None:
    image_classifier.sexual = 0.0 if is_of_prompt else 0.6
    answer = ask(api, "something doubtful" if is_of_prompt else "a pear")
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "moderation_held")
    made = GenerationRequest.objects.get()
    assert error["generation_id"] == str(made.id)
    assert error["message"].endswith(error["status_url"])
    assert "/r/" in error["status_url"]
    assert "rejected" not in error["message"]


def test_what_failed_is_the_servers_fault(
    api: Client, house: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generation.engine.jobs import NotFinite
    from generation.work import completion

    def breaks(*_: Any, **__: Any) -> None:
        raise NotFinite

    monkeypatch.setattr(completion, "complete", breaks)
    answer = ask(api)
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == (500, "server_error", "not_finite")


# ---------------------------------------------------------------- sent twice


def test_a_repeat_of_the_library_joins_what_was_sent_and_is_charged_once(
    api: Client, house: BaseModel
) -> None:
    first = ask(api, seed=None).json()
    for count in ("1", "2"):
        again = ask(api, seed=None, headers={"x-stainless-retry-count": count}).json()
        assert again["data"] == first["data"]
    assert GenerationRequest.objects.count() == 1


def test_asking_again_is_no_repeat(api: Client, house: BaseModel) -> None:
    for count in ("0", "0", "x", "-1"):
        ask(api, headers={"x-stainless-retry-count": count})
    assert GenerationRequest.objects.count() == 4


def test_a_repeat_with_another_key_or_body_is_none(
    api: Client, alice: User, house: BaseModel
) -> None:
    ask(api)
    repeat = {"x-stainless-retry-count": "1"}
    ask(client_of(alice), headers=repeat)
    ask(api, "a pear", headers=repeat)
    assert GenerationRequest.objects.count() == 3


def test_a_repeat_of_what_failed_is_made_anew(
    api: Client, tiny: BaseModel, image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from generation.engine.jobs import NotFinite
    from generation.work import completion

    with monkeypatch.context() as patch, at_work():

        def breaks(*_: Any, **__: Any) -> None:
            raise NotFinite

        patch.setattr(completion, "complete", breaks)
        assert ask(api).status_code == 500
    with at_work():
        assert ask(api, headers={"x-stainless-retry-count": "1"}).status_code == 200
    assert GenerationRequest.objects.count() == 2


def test_an_idempotency_key_is_honoured(api: Client, house: BaseModel) -> None:
    key = {"Idempotency-Key": "order-1"}
    first, again = ask(api, seed=None, headers=key), ask(api, seed=None, headers=key)
    assert first.json()["data"] == again.json()["data"]
    clash = ask(api, "a pear", headers=key)
    assert (clash.status_code, error_of(clash)["code"]) == (400, "idempotency_key_reused")
    long = ask(api, headers={"Idempotency-Key": "x" * 201})
    assert (long.status_code, error_of(long)["code"]) == (400, "idempotency_key_too_long")


@pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 1), (4, 6), (6, 4), (10, 5)])
def test_an_idempotency_key_is_of_one_number_of_pictures(
    first: int, then: int, api: Client, house: BaseModel
) -> None:
    """Though what is made in one go is the same for four and for six."""
    key = {"Idempotency-Key": "order-1"}
    assert ask(api, n=first, headers=key).status_code == 200
    made = GenerationRequest.objects.count()
    clash = ask(api, n=then, headers=key)
    assert (clash.status_code, error_of(clash)["code"]) == (400, "idempotency_key_reused")
    assert GenerationRequest.objects.count() == made
    assert len(ask(api, n=first, headers=key).json()["data"]) == first
    assert GenerationRequest.objects.count() == made


def test_one_idempotency_key_of_two_projects_of_one_person_is_two_requests(
    alice: User, house: BaseModel
) -> None:
    key = {"Idempotency-Key": "order-1"}
    for name in ("A", "B"):
        backend = project_key(make_project(alice, name), alice)
        client = Client(headers={"Authorization": f"Bearer {backend}"})
        assert ask(client, headers=key).status_code == 200
    projects = GenerationRequest.objects.values_list("project__name", flat=True)
    assert sorted(projects) == ["A", "B"]


def test_one_idempotency_key_of_two_members_of_a_project_is_one_request(
    alice: User, bob: User, house: BaseModel
) -> None:
    team = make_project(alice)
    join(team, bob, "developer")
    told = []
    for member in (alice, bob):
        client = Client(headers={"Authorization": f"Bearer {project_key(team, member)}"})
        answer = ask(client, seed=None, headers={"Idempotency-Key": "order-1"})
        told.append((answer.status_code, answer.json().get("data")))
    assert told[0] == told[1]
    assert (told[0][0], GenerationRequest.objects.count()) == (200, 1)


def test_an_idempotency_key_of_another_end_user_is_another_order(
    api: Client, house: BaseModel
) -> None:
    """Whose picture one gets is no matter of a key that a product made badly."""
    key = {"Idempotency-Key": "order-1"}
    assert ask(api, safety_identifier="eve", headers=key).status_code == 200
    for said in ({"safety_identifier": "adam"}, {}):
        clash = ask(api, headers=key, **said)
        assert (clash.status_code, error_of(clash)["code"]) == (400, "idempotency_key_reused")


def test_a_repeat_of_the_library_finds_its_own_end_users(api: Client, house: BaseModel) -> None:
    first = {name: ask(api, seed=None, safety_identifier=name).json() for name in ("eve", "adam")}
    repeat = {"x-stainless-retry-count": "1"}
    for name, body in first.items():
        again = ask(api, seed=None, safety_identifier=name, headers=repeat).json()
        assert again["data"] == body["data"]
    assert GenerationRequest.objects.count() == 2


def test_an_idempotency_key_names_what_is_made_and_each_call_how_it_comes(
    api: Client, house: BaseModel
) -> None:
    """What is stored is the picture: its encodings and addresses are made of it for each answer."""
    key = {"Idempotency-Key": "order-1"}
    png = ask(api, seed=None, headers=key).json()["data"][0]
    as_webp = ask(api, seed=None, headers=key, output_format="webp").json()
    at_url = ask(api, seed=None, headers=key, response_format="url").json()["data"][0]
    assert as_webp["output_format"] == "webp"
    assert picture_in(as_webp["data"][0]).format == "WEBP"
    assert {each["id"] for each in (png, as_webp["data"][0], at_url)} == {png["id"]}
    assert "b64_json" not in at_url
    assert GenerationRequest.objects.count() == 1


def test_one_idempotency_key_of_two_people_is_two_requests(
    api: Client, bob: User, house: BaseModel
) -> None:
    key = {"Idempotency-Key": "order-1"}
    assert ask(api, headers=key).status_code == 200
    assert ask(client_of(bob), "a pear", headers=key).status_code == 200
    assert GenerationRequest.objects.count() == 2


def test_a_key_that_is_revoked_meanwhile_ends_the_wait(
    api: Client, tiny: BaseModel, prompt_classifier: FakePromptClassifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from generation.compat import waiting

    monkeypatch.setattr(waiting, "PATIENCE_S", 0.05)
    looked = waiting.look

    def look(job: Any) -> Any:
        found = looked(job)
        ApiKey.objects.update(revoked_at=found.job.requests[0].created_at)
        return found

    monkeypatch.setattr(waiting, "look", look)
    answer = ask(api)
    assert (answer.status_code, error_of(answer)["code"]) == (401, "invalid_api_key")
