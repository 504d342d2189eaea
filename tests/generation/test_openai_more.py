"""`/v1/` beside generations: models, edits, streams, moderations, and whom a client acts for."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from threading import Thread
from typing import Any

import jwt
import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import AsyncClient, Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.throttling import SimpleRateThrottle

from adapters.models import BaseModel
from config.core import events
from config.core.projects import calling
from config.core.projects.models import EndUser, Project
from config.models import ApiKey
from generation.compat import category_names, end_users, waiting
from generation.models import GenerationRequest, SourcePicture
from generation.progress import partials
from moderation.policy.rulebook import policy_document
from moderation.screening import advice
from provenance.assets.marking import encode_png
from tests.factories import make_key
from tests.fakes import FakeImageClassifier, FakePromptClassifier
from tests.generation.house_at_work import at_work
from tests.generation.openai_client import EDITS, GENERATIONS, ask, client_of, error_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(alice: User) -> Client:
    return client_of(alice)


@pytest.fixture
def house(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
) -> Iterator[BaseModel]:
    with at_work():
        yield tiny


def png(width: int, height: int) -> bytes:
    return encode_png(np.full((height, width, 3), 200, dtype=np.uint8))


def data_url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


# ---------------------------------------------------------------- models


def test_models_are_listed_with_the_names_that_clients_insist_on(
    api: Client, model: BaseModel, settings: Settings
) -> None:
    settings.PROOFSHEET_OPENAI_ALIASES = ["gpt-image-1=", "house=tiny", "lost=none"]
    body = api.get("/v1/models").json()
    assert body["object"] == "list"
    assert [(each["id"], each["alias_of"]) for each in body["data"]] == [
        ("tiny", None),
        ("gpt-image-1", "tiny"),
        ("house", "tiny"),
    ]
    assert {"object", "created", "owned_by"} <= set(body["data"][0])
    assert api.get("/v1/models/house").json()["id"] == "house"
    for name in ("none", "lost"):
        answer = api.get(f"/v1/models/{name}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "model_not_found")


# ---------------------------------------------------------------- edits


@pytest.mark.parametrize("name", ["image", "image[]"])
def test_an_edit_starts_from_a_forms_file(api: Client, house: BaseModel, name: str) -> None:
    file = SimpleUploadedFile("blob", png(256, 256), "image/png")
    form = {name: file, "prompt": "a pear", "n": "1", "steps": "4", "strength": "0.5"}
    answer = api.post(EDITS, form)
    assert answer.status_code == 200, answer.content
    source = SourcePicture.objects.get()
    assert (source.strength, source.width) == (0.5, 256)
    assert answer.json()["usage"]["input_tokens_details"]["image_tokens"] == 256


def test_an_edit_starts_from_a_file_that_django_keeps_on_disk(
    api: Client, house: BaseModel
) -> None:
    data = png(256, 256) + bytes(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)
    file = SimpleUploadedFile("blob", data, "image/png")
    answer = api.post(EDITS, {"image": file, "prompt": "a pear", "steps": "4"})
    assert answer.status_code == 200, answer.content
    assert SourcePicture.objects.count() == 1


def test_an_edit_starts_from_a_data_url(api: Client, house: BaseModel) -> None:
    body = {"images": [{"image_url": data_url(png(256, 256))}], "prompt": "a pear", "steps": 4}
    answer = api.post(EDITS, body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert SourcePicture.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"images": [{"image_url": "https://example.org/a.png"}]}, 400, "image_url_not_inline"),
        ({"images": [{"file_id": "file-1"}]}, 400, "image_url_not_inline"),
        ({"images": [{"image_url": "data:image/png;base64,%%"}]}, 400, "invalid_value"),
        ({"images": [{"image_url": "data:image/png;base64,AAAA"}]}, 400, None),
        ({"images": []}, 400, "invalid_value"),
        ({"images": [{"image_url": "data:,"}] * 2}, 400, "several_pictures_not_supported"),
        ({"image": "x"}, 400, "invalid_value"),
    ],
)
def test_what_is_wrong_with_the_picture_is_named(
    api: Client, model: BaseModel, said: dict[str, Any], status: int, code: str | None
) -> None:
    answer = api.post(EDITS, {"prompt": "a pear"} | said, content_type="application/json")
    assert answer.status_code == status, answer.content
    assert code is None or error_of(answer)["code"] == code
    assert not GenerationRequest.objects.exists()


@pytest.mark.parametrize("mask", ["x", {"file_id": "file-1"}, {"image_url": "http://192.0.2.1/"}])
def test_a_mask_that_is_not_sent_itself_is_told_as_the_mask(
    api: Client, model: BaseModel, mask: Any
) -> None:
    body = {"prompt": "a", "images": [{"image_url": data_url(png(256, 256))}], "mask": mask}
    error = error_of(api.post(EDITS, body, content_type="application/json"))
    assert error["code"] == "image_url_not_inline"
    assert error["message"].startswith("mask: ")


def test_an_edit_of_another_kind_is_told_that_forms_are_taken(
    api: Client, model: BaseModel
) -> None:
    kind = "application/x-www-form-urlencoded"
    answer = api.post(EDITS, "prompt=a", content_type=kind)
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")
    assert "multipart/form-data" in error_of(answer)["message"]


def test_a_second_picture_in_a_form_is_refused_by_name(api: Client, model: BaseModel) -> None:
    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile("a.png", png(256, 256), "image/png")

    two = api.post(EDITS, {"prompt": "a", "image[]": [file(), file()]})
    error = error_of(two)
    assert (two.status_code, error["param"]) == (400, "image")
    assert error["code"] == "several_pictures_not_supported"
    assert "every model here starts from one" in error["message"]
    assert not GenerationRequest.objects.exists()


def test_variations_say_where_to_ask_instead(api: Client, model: BaseModel) -> None:
    answer = api.post("/v1/images/variations", {"n": "1"})
    assert answer.status_code == 404
    assert "/v1/images/edits" in error_of(answer)["message"]


# ---------------------------------------------------------------- streams


def streamed(user: User, **said: Any) -> tuple[Any, list[dict[str, Any]]]:
    """The answer and the bodies of its events."""
    client, headers = AsyncClient(), {"Authorization": f"Bearer {make_key(user)}"}
    body = {"prompt": "a red apple", "steps": 8, "seed": 7, "stream": True} | said

    async def run() -> tuple[Any, list[dict[str, Any]]]:
        answer: Any = await client.post(
            GENERATIONS, body, content_type="application/json", headers=headers
        )
        if not answer.streaming:
            return answer, []
        text = b"".join([part async for part in answer.streaming_content]).decode()
        lines = [line for line in text.splitlines() if line.startswith("data: ")]
        return answer, [json.loads(line.removeprefix("data: ")) for line in lines]

    return asyncio.run(run())


def test_a_stream_ends_with_the_picture(alice: User, house: BaseModel) -> None:
    answer, bodies = streamed(alice)
    assert answer["Content-Type"] == "text/event-stream"
    [done] = bodies
    assert done["type"] == "image_generation.completed"
    assert base64.b64decode(done["b64_json"]).startswith(b"\x89PNG")
    assert {"created_at", "size", "quality", "background", "output_format", "usage"} <= set(done)


def test_a_refused_prompt_is_no_stream(alice: User, house: BaseModel) -> None:
    answer, bodies = streamed(alice, prompt="something awful")
    assert (answer.status_code, bodies) == (400, [])
    assert error_of(answer)["code"] == "moderation_blocked"


def test_partial_pictures_are_marked_and_screened_and_come_in_order(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier
) -> None:
    from generation.engine.jobs import StepReport
    from generation.work.partial_images import PartialImages
    from tests.factories import make_request

    request = make_request(alice, tiny)
    preview = png(32, 32)
    partials.want(request.id, 2)
    made = PartialImages(request)
    for step in range(1, 9):
        made.offer(StepReport(step, 9, preview))
    found = partials.since(request.id, 0)
    assert len(found) == 2
    assert image_classifier.seen == found
    image_classifier.sexual = 0.6
    other = make_request(alice, tiny)
    partials.want(other.id, 3)
    PartialImages(other).offer(StepReport(8, 9, preview))
    assert partials.since(other.id, 0) == []


def test_a_stream_shows_partial_pictures_as_they_come(
    alice: User, tiny: BaseModel, prompt_classifier: FakePromptClassifier,
    image_classifier: FakeImageClassifier, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    want = partials.want

    def at_once(request_id: Any, count: int) -> None:
        want(request_id, count)
        partials.keep(request_id, 0, png(8, 8))

    monkeypatch.setattr(partials, "want", at_once)
    with at_work():
        _, bodies = streamed(alice, partial_images=1, steps=2)
    kinds = [body["type"].rpartition(".")[2] for body in bodies]
    assert kinds == ["partial_image", "completed"]
    assert bodies[0]["partial_image_index"] == 0


def test_a_refused_picture_ends_a_stream_with_the_error(
    alice: User, tiny: BaseModel, prompt_classifier: FakePromptClassifier,
    image_classifier: FakeImageClassifier, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from generation.compat.openai import image_api

    async def begun(job: Any) -> Any:
        return job

    monkeypatch.setattr(image_api, "_screened", begun)
    image_classifier.sexual = 0.99
    with at_work():
        _, [body] = streamed(alice, steps=2)
    assert body["error"]["code"] == "moderation_blocked"
    assert "/r/" in body["error"]["appeal_url"]


def test_a_key_that_is_revoked_in_mid_stream_ends_it_with_an_error(
    alice: User, tiny: BaseModel, prompt_classifier: FakePromptClassifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.05)
    looked = waiting.look

    def look(job: Any) -> Any:
        found = looked(job)
        if found.is_screened:
            ApiKey.objects.update(revoked_at=timezone.now())
        return found

    monkeypatch.setattr(waiting, "look", look)
    with at_work(draws=False):
        _, bodies = streamed(alice)
    assert bodies[-1]["error"]["code"] == "invalid_api_key"


# ---------------------------------------------------------------- moderations


def test_texts_that_are_judged_leave_the_limit_of_pictures_alone(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    rates = SimpleRateThrottle.THROTTLE_RATES | {"user": "1/min", "moderate": "2/min"}
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)
    api = client_of(alice)
    wrong: dict[str, list[str]] = {"input": []}  # it counts, and nobody need judge it
    told = [api.post("/v1/moderations", wrong, content_type="application/json") for _ in range(3)]
    assert [answer.status_code for answer in told] == [400, 400, 429]
    assert told[0]["x-ratelimit-limit-requests"] == "2"
    models = [api.get("/v1/models").status_code for _ in range(2)]
    assert models == [200, 429]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that answers at once, in a thread."""

    def send(task: str, name: str) -> None:
        assert task == "moderation.tasks.advise"

        def work() -> None:
            try:
                advice.answer(name)
            finally:
                connection.close()

        thread = Thread(target=work)
        thread.start()
        thread.join()

    monkeypatch.setattr(events, "send_now", send)


def moderate(api: Client, said: object) -> Any:
    return api.post("/v1/moderations", {"input": said}, content_type="application/json")


def test_each_text_gets_a_result_with_the_thirteen_names(
    api: Client, judge: None, prompt_classifier: FakePromptClassifier
) -> None:
    body = moderate(api, ["an apple", "something awful"]).json()
    assert body["id"].startswith("modr-")
    fine, bad = body["results"]
    assert (fine["flagged"], bad["flagged"]) == (False, True)
    for part in ("categories", "category_scores", "category_applied_input_types"):
        assert tuple(fine[part]) == category_names.OPENAI
    assert bad["categories"]["sexual"]
    assert bad["category_scores"]["sexual"] == 0.95
    assert "likeness" in bad["further_categories"]
    assert len(moderate(api, "an apple").json()["results"]) == 1


def test_text_and_picture_together_get_one_result(
    api: Client,
    judge: None,
    prompt_classifier: FakePromptClassifier,
    image_classifier: FakeImageClassifier,
) -> None:
    image_classifier.sexual = 0.9
    parts = [
        {"type": "text", "text": "an apple"},
        {"type": "image_url", "image_url": {"url": data_url(png(64, 64))}},
    ]
    [result] = moderate(api, parts).json()["results"]
    assert result["flagged"]
    assert result["category_applied_input_types"]["sexual"] == ["text", "image"]
    assert result["category_applied_input_types"]["hate"] == ["text"]
    broken = [{"type": "image_url", "image_url": {"url": data_url(b"none")}}]
    assert moderate(api, broken).status_code == 400


@pytest.mark.parametrize(
    "said",
    [None, [], 7, [7], {"a": 1}, [{"type": "audio"}], ["x"] * 33, "x" * 40_000,
     [{"type": "image_url", "image_url": {"url": "http://169.254.169.254/"}}]],
)  # fmt: skip
def test_other_inputs_are_refused(api: Client, model: BaseModel, said: object) -> None:
    answer = moderate(api, said)
    assert answer.status_code == 400
    assert error_of(answer)["message"]


def test_the_published_mapping_is_the_one_that_is_used(settings: Settings) -> None:
    ours = policy_document.active("general").categories
    assert set(category_names.NAMES) == set(ours)
    page = (settings.ROOT / "docs/integrate/openai.md").read_text()
    for name, theirs in category_names.NAMES.items():
        told = ", ".join(f"`{each}`" for each in theirs) or "none: in `further_categories`"
        assert f"| `{name}` | {told} |" in page


# ---------------------------------------------------------------- end users


class Sent:
    def __init__(self, **headers: str) -> None:
        self.headers = headers


def signed(secret: str, **said: Any) -> str:
    claims = {"sub": "u-3", "iss": "open-webui", "exp": 4102444800} | said
    return jwt.encode(claims, secret, algorithm="HS256")


def test_the_first_claim_counts(settings: Settings) -> None:
    secret = "s" * 32
    settings.PROOFSHEET_OPEN_WEBUI_SECRET = secret
    webui = {end_users.OPEN_WEBUI_TOKEN: signed(secret), end_users.OPEN_WEBUI_ID: "u-4"}
    every = Sent(**webui | {calling.END_USER_HEADER: "u-2"})
    assert end_users.claimed(every, "u-0", "u-1") == "u-0"
    assert end_users.claimed(every, "", "u-1") == "u-1"
    assert end_users.claimed(every, "", "") == "u-2"
    assert end_users.claimed(Sent(**webui)) == "u-3"
    bare = Sent(**{end_users.OPEN_WEBUI_ID: "u-4"})
    assert end_users.claimed(bare) == ""
    settings.PROOFSHEET_OPEN_WEBUI_UNSIGNED = True
    assert end_users.claimed(bare) == "u-4"


@pytest.mark.parametrize(
    "wrong", [{"iss": "other"}, {"exp": 1}, {"sub": None}], ids=["issuer", "over", "no subject"]
)
def test_a_token_that_does_not_verify_is_refused(settings: Settings, wrong: dict[str, Any]) -> None:
    settings.PROOFSHEET_OPEN_WEBUI_SECRET = "s" * 32
    for token in (signed("s" * 32, **wrong), signed("t" * 32), "none"):
        with pytest.raises(end_users.EndUserTokenBad):
            end_users.claimed(Sent(**{end_users.OPEN_WEBUI_TOKEN: token}))


def test_a_request_knows_its_end_user_by_a_digest(api: Client, house: BaseModel) -> None:
    ask(api, safety_identifier="kim@example.org")
    ask(api, "a pear", user="kim@example.org")
    [person] = EndUser.objects.all()
    assert "kim" not in person.ref
    assert set(GenerationRequest.objects.values_list("end_user", flat=True)) == {person.id}


# ---------------------------------------------------------------- cards


@pytest.mark.parametrize("is_held", [False, True])
def test_a_key_may_have_refusals_shown_as_pictures(
    api: Client, client: Client, house: BaseModel, is_held: bool
) -> None:
    ApiKey.objects.update(refusal_as="card")
    prompt = "something doubtful" if is_held else "something awful"
    answer = ask(api, prompt)
    body = answer.json()
    assert answer.status_code == 200, body
    [item] = body["data"]
    assert base64.b64decode(item["b64_json"]).startswith(b"\x89PNG")
    assert item["code"] == ("moderation_held" if is_held else "moderation_blocked")
    assert "/r/" in item["message"]
    assert body["usage"]["output_tokens"] == 0
    [by_url] = ask(api, prompt, response_format="url").json()["data"]
    shown = client.get(by_url["url"].removeprefix("http://testserver"))
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")


@pytest.mark.parametrize(("of_key", "status"), [("", 200), ("error", 400), ("card", 200)])
def test_a_key_goes_by_its_project_unless_it_says_otherwise(
    api: Client, house: BaseModel, of_key: str, status: int
) -> None:
    Project.objects.update(refusal_as="card")
    ApiKey.objects.update(refusal_as=of_key)
    assert ask(api, "something awful").status_code == status


def test_a_card_comes_as_an_event_of_a_stream(alice: User, house: BaseModel) -> None:
    make_key(alice)
    Project.objects.update(refusal_as="card")
    _, [body] = streamed(alice, prompt="something awful")
    assert (body["type"], body["code"]) == ("image_generation.completed", "moderation_blocked")
