"""Starting from a picture: taken in within bounds, screened before anything uses it, kept private,
named as the parent of what is made, erased with the request."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from PIL import Image
from pytest_django import Settings
from rest_framework.test import APIClient

from adapters.models import BaseModel
from config.core.errors import ProofsheetError
from generation.conditions import init_images, wanted_images
from generation.gallery import own_images
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    RequestAdapter,
    RequestStatus,
    SourcePicture,
    private_storage,
)
from generation.request_rules.parameters import RequestParameters
from generation.requests import prompt_screening, submitting
from generation.studio import own_requests
from generation.work import worker
from moderation.cases.review_cases import claim
from moderation.decisions import enforcing
from moderation.models import Decision, ReviewCase, Screening, Statement
from provenance.keys import key_folder
from provenance.manifests.signing_context import signer
from tests.factories import make_adapter, make_image, make_request
from tests.fakes import BrokenClassifier, FakeImageClassifier, FakePromptClassifier, FrozenClock
from tests.provenance import foreign

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("prompt_classifier"),
]
AsUser = Callable[[User], Client]
URL = "/api/v1/generations/"


def picture(kind: str = "PNG", size: tuple[int, int] = (48, 40), **said: Any) -> bytes:
    noise = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, kind, **said)
    return out.getvalue()


def ask(by: User, clock: FrozenClock, **said: Any) -> GenerationRequest:
    usual: dict[str, Any] = {"prompt": "a red apple", "picture": picture(), "strength": 0.5}
    parameters = RequestParameters(**usual | said)
    return submitting.submit(parameters, by=by, at=clock()).request


def source_of(request: GenerationRequest) -> SourcePicture:
    return SourcePicture.objects.get(request=request)


def status_of(request: GenerationRequest) -> str:
    request.refresh_from_db()
    return request.status


def decide(case: ReviewCase, action: Any, *, by: User, clock: FrozenClock) -> None:
    leased = claim(case, by=by, at=clock())
    assert leased.lease_token is not None
    enforcing.decide(
        case,
        by=by,
        action=action,
        reason="within_policy" if action == "allow" else "sexual",
        at=clock(),
        token=leased.lease_token,
    )


def test_upload_is_screened_then_made_into_an_image_that_names_it_as_its_parent(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    as_user: AsUser,
) -> None:
    request = ask(alice, clock)
    assert source_of(request).state == "unscreened"
    prompt_screening.screen(request.id, at=clock())
    assert image_classifier.seen == [picture()]
    assert (source_of(request).state, status_of(request)) == ("passed", "queued")
    assert worker.work_one(now=clock)
    image = GeneratedImage.objects.get()
    assert image.source == {"strength": 0.5, "sha256": source_of(request).sha256, "image": ""}
    reading = signer().read(image.file.read(), "image/png")
    assert (reading.state, reading.is_altered) == ("trusted", True)
    assert [item.title for item in reading.ingredients] == ["The picture that it was made from"]
    page = as_user(alice).get(f"/images/{image.id}/").content.decode()
    assert "An uploaded picture" in page
    assert "strength 0.5" in page


def test_picture_decides_what_is_drawn_and_strength_how_much(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    for strength in (0.25, 1.0):
        made = ask(alice, clock, strength=strength, seed=5, guidance=1.0, steps=8)
        prompt_screening.screen(made.id, at=clock())
        worker.work_one(now=clock)
    make_request(alice, tiny, seed=5, guidance=1.0, steps=8)
    worker.work_one(now=clock)
    files = [image.file.read() for image in GeneratedImage.objects.order_by("created_at", "id")]
    assert len(set(files)) == 3
    steps = [request.timings["denoise_ms"] for request in GenerationRequest.objects.all()]
    assert all(steps)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_upload_is_stored_privately_and_shown_small_to_its_owner_alone(
    alice: User,
    mallory: User,
    model: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    kind: str,
) -> None:
    request = ask(alice, clock, picture=picture(kind, (900, 600)))
    path = f"/requests/{request.id}/source/"
    assert as_user(alice).get(path).status_code != 200  # not before it is screened
    prompt_screening.screen(request.id, at=clock())
    answer = as_user(alice).get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert max(Image.open(io.BytesIO(answer.content)).size) == 512
    assert "private" in answer["Cache-Control"]
    again = as_user(alice).get(path, HTTP_IF_NONE_MATCH=answer["ETag"])
    assert again.status_code == 304
    assert as_user(mallory).get(path).status_code == 404
    assert path in as_user(alice).get(f"/requests/{request.id}/").content.decode()


def test_refused_picture_refuses_the_request_with_a_statement_and_is_never_drawn_from(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    image_classifier.sexual = 0.99
    request = ask(alice, clock)
    prompt_screening.screen(request.id, at=clock())
    assert (status_of(request), request.code) == ("refused", "upload_refused")
    assert source_of(request).state == "refused"
    assert not worker.work_one(now=clock)
    assert Statement.objects.count() == 1
    assert not Screening.objects.filter(stage="prompt").exists()
    page = as_user(alice).get(f"/requests/{request.id}/").content.decode()
    assert "The picture to start from was refused" in page
    link = re.search(r'href="(/statements/[^"]+)"', page)
    assert link is not None
    assert "the picture that you uploaded" in as_user(alice).get(link[1]).content.decode()
    client = APIClient()
    client.force_authenticate(alice)
    body = client.get(f"{URL}{request.id}/").json()
    assert body["source"]["status"] == "refused"
    assert body["refusal"]["code"] == "upload_refused"


def test_held_picture_waits_for_a_person_and_goes_on_to_its_prompt_when_allowed(
    alice: User,
    bob: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    image_classifier.sexual = 0.6
    request = ask(alice, clock)
    prompt_screening.screen(request.id, at=clock())
    assert (status_of(request), request.is_held) == ("submitted", True)
    page = as_user(alice).get(f"/requests/{request.id}/").content.decode()
    assert "not sure about the picture to start from" in page
    assert not worker.work_one(now=clock)
    decide(ReviewCase.objects.get(), "allow", by=bob, clock=clock)
    assert (status_of(request), request.is_held) == ("submitted", False)
    assert source_of(request).state == "passed"
    image_classifier.sexual = 0.0
    prompt_screening.screen(request.id, at=clock())
    assert status_of(request) == "queued"
    worker.work_one(now=clock)
    assert GeneratedImage.objects.count() == 1


def test_held_picture_that_a_person_refuses_ends_the_request(
    alice: User,
    bob: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    image_classifier.sexual = 0.6
    request = ask(alice, clock)
    prompt_screening.screen(request.id, at=clock())
    decide(ReviewCase.objects.get(), "refuse", by=bob, clock=clock)
    assert (status_of(request), source_of(request).state) == ("refused", "refused")


def test_refusal_that_is_reversed_sends_the_prompt_to_its_screening(
    alice: User,
    carol: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    image_classifier.sexual = 0.99
    request = ask(alice, clock, prompt="an awful thing")
    prompt_screening.screen(request.id, at=clock())
    decision = Decision.objects.get()
    with transaction.atomic():
        enforcing.reverse(decision, by=carol, explanation="It is a statue.", at=clock())
    assert (status_of(request), request.code) == ("submitted", "")
    prompt_screening.screen(request.id, at=clock())
    assert (status_of(request), request.code) == ("refused", "prompt_refused")


def test_nothing_goes_on_when_the_screening_of_the_picture_breaks(
    alice: User, tiny: BaseModel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.classifiers import image

    monkeypatch.setattr(image, "classifier", BrokenClassifier)
    request = ask(alice, clock)
    for _ in range(prompt_screening.ATTEMPTS_MAX):
        with pytest.raises(RuntimeError):
            prompt_screening.screen(request.id, at=clock())
        assert (status_of(request), source_of(request).state) == ("submitted", "unscreened")
    prompt_screening.screen(request.id, at=clock())
    assert (status_of(request), request.code) == ("failed", "screening_failed")


def test_worker_draws_from_nothing_that_has_not_passed(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    request = ask(alice, clock)
    request.enqueue(at=clock())  # by some mistake
    worker.work_one(now=clock)
    assert (status_of(request), request.code) == ("failed", "source_not_screened")
    assert not GeneratedImage.objects.exists()


def test_own_image_is_started_from_without_a_copy_and_only_while_it_is_released(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    make_request(alice, tiny)
    worker.work_one(now=clock)
    first = GeneratedImage.objects.get()
    client = as_user(alice)
    answer = client.post(f"/images/{first.id}/from/", {"strength": "0.5"})
    assert answer.status_code == 302
    request = GenerationRequest.objects.exclude(id=first.request_id).get()
    assert (source_of(request).image, source_of(request).file.name) == (first, "")
    prompt_screening.screen(request.id, at=clock())
    worker.work_one(now=clock)
    second = GeneratedImage.objects.exclude(id=first.id).get()
    assert second.source["image"] == str(first.id)
    reading = signer().read(second.file.read(), "image/png")
    assert [item.depth for item in reading.ingredients] == [1]
    assert f'href="/images/{first.id}/"' in client.get(f"/images/{second.id}/").content.decode()

    third = ask(alice, clock, picture=None, source_image=str(first.id))
    own_images.delete_image(first.id, by=alice, at=clock())
    prompt_screening.screen(third.id, at=clock())
    worker.work_one(now=clock)
    assert (status_of(third), third.code) == ("failed", "source_gone")


@pytest.mark.parametrize("state", [ImageState.HELD, ImageState.WITHHELD])
def test_nobody_starts_from_an_image_that_is_not_released_or_not_theirs(
    alice: User, mallory: User, model: BaseModel, as_user: AsUser, clock: FrozenClock, state: str
) -> None:
    kept, released = make_image(alice, model, state=state), make_image(alice, model)
    for by, image in ((alice, kept), (mallory, released)):
        with pytest.raises(wanted_images.SourceNotFound):
            ask(by, clock, picture=None, source_image=str(image.id))
        assert as_user(by).post(f"/images/{image.id}/from/", {"strength": "0.5"}).status_code == 404
    assert not SourcePicture.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "picture_empty"),
        (b"<svg onload=alert(1)>", "not_a_picture"),
        (b"GIF89a" + b"\0" * 100, "not_a_picture"),
        (picture()[:200], "picture_unreadable"),
        (picture(size=(8, 8)), "picture_too_small"),
        (
            picture("WEBP", save_all=True, append_images=[Image.new("RGB", (48, 40))]),
            "picture_animated",
        ),
        (picture() + b"\0" * 20_000, "source_too_large"),
    ],
)
def test_what_is_no_picture_is_told_in_one_sentence_and_not_kept(
    alice: User, model: BaseModel, as_user: AsUser, settings: Settings, data: bytes, code: str
) -> None:
    settings.PROOFSHEET_SOURCE_MAX_BYTES = 20_000
    client = APIClient()
    client.force_authenticate(alice)
    said = {"prompt": "a", "picture": SimpleUploadedFile("a.png", data)}
    answer = client.post(URL, said, format="multipart")
    assert (answer.status_code // 100, answer.json()["code"]) == (4, code)
    page = as_user(alice).post(
        "/studio/submit/",
        {"prompt": "a", "model": "tiny", "picture": SimpleUploadedFile("a.png", data)},
    )
    assert page.status_code == answer.status_code
    assert answer.json()["title"] in page.content.decode().replace("&#x27;", "'")
    assert not GenerationRequest.objects.exists()
    assert not SourcePicture.objects.exists()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"strength": 0.01}, "strength_out_of_range"),
        ({"strength": float("nan")}, "strength_out_of_range"),
        ({"strength": 0.2, "steps": 4}, "strength_too_low"),
        ({"source_image": "0" * 32}, "two_sources"),
    ],
)
def test_strength_and_source_are_checked(
    alice: User, model: BaseModel, clock: FrozenClock, said: dict[str, Any], code: str
) -> None:
    with pytest.raises(ProofsheetError) as told:
        ask(alice, clock, **said)
    assert told.value.code == code
    assert not private_storage().exists("sources") or not GenerationRequest.objects.exists()


def test_form_takes_an_upload_without_a_script_and_offers_an_own_image(
    alice: User, model: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    page = client.get("/studio/").content.decode()
    assert 'enctype="multipart/form-data"' in page
    assert 'type="file" name="picture"' in page
    upload = SimpleUploadedFile("kite.png", picture(), "image/png")
    answer = client.post(
        "/studio/submit/",
        {"prompt": "a kite", "model": "tiny", "picture": upload, "strength": "0.7"},
    )
    assert answer.status_code == 302
    assert source_of(GenerationRequest.objects.get()).strength == 0.7
    image = make_image(alice, model)
    page = client.get(f"/studio/?source_image={image.id}&strength=0.3").content.decode()
    assert f'name="source_image" value="{image.id}"' in page
    assert client.get("/studio/?source_image=nonsense").status_code == 200


def test_api_takes_json_with_an_own_image_and_tells_what_it_started_from(
    alice: User, model: BaseModel
) -> None:
    image = make_image(alice, model)
    client = APIClient()
    client.force_authenticate(alice)
    said = {"prompt": "a", "source_image": str(image.id), "strength": 0.4, "steps": 10}
    body = client.post(URL, said, format="json").json()
    assert body["source"] == {
        "strength": 0.4,
        "sha256": image.sha256,
        "image": str(image.id),
        "status": "passed",
        "code": "",
        "mask_sha256": "",
    }
    assert client.post(URL, {"prompt": "a"}, format="json").json()["source"] is None
    said |= {"source_image": "no-id"}
    assert client.post(URL, said, format="json").status_code == 400


def test_fewer_steps_are_predicted_to_cost_less(
    alice: User, model: BaseModel, clock: FrozenClock
) -> None:
    half = ask(alice, clock, steps=10, guidance=1.0)
    whole = ask(alice, clock, steps=10, guidance=1.0, picture=None, strength=None)
    assert (half.predicted_ms, whole.predicted_ms) == (800, 1300)


def test_upload_is_erased_with_its_request_and_not_while_a_person_reviews_it(
    alice: User,
    bob: User,
    model: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    image_classifier.sexual = 0.6
    request = ask(alice, clock)
    name = str(source_of(request).file.name)
    prompt_screening.screen(request.id, at=clock())
    own_requests.cancel(request.id, by=alice, at=clock())
    with pytest.raises(own_images.UnderReview):
        own_requests.delete_request(request.id, by=alice, at=clock())
    decide(ReviewCase.objects.get(), "allow", by=bob, clock=clock)
    assert status_of(request) == "cancelled"
    assert private_storage().exists(name)
    own_requests.delete_request(request.id, by=alice, at=clock())
    assert not private_storage().exists(name)
    assert source_of(request).file.name == ""


def test_upload_of_a_refused_submission_is_not_kept(
    alice: User, model: BaseModel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr(init_images, "attach", fail)
    before = _stored()
    with pytest.raises(RuntimeError):
        ask(alice, clock)
    assert _stored() == before
    assert not GenerationRequest.objects.exists()


def _stored() -> list[str]:
    try:
        return private_storage().listdir("sources")[1]
    except FileNotFoundError:
        return []


def test_again_starts_from_the_same_upload_and_is_screened_again(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    first = ask(alice, clock)
    prompt_screening.screen(first.id, at=clock())
    worker.work_one(now=clock)
    image = GeneratedImage.objects.get()
    answer = as_user(alice).post(f"/images/{image.id}/again/")
    assert answer.status_code == 302
    again = source_of(GenerationRequest.objects.exclude(id=first.id).get())
    assert (again.state, again.sha256, again.strength) == (
        "unscreened",
        source_of(first).sha256,
        0.5,
    )
    own_requests.delete_request(first.id, by=alice, at=clock())
    assert again.file.read() == picture()


@pytest.mark.parametrize("is_upload", [True, False])
def test_what_an_uploaded_picture_shows_counts_as_a_person(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    prompt_classifier: FakePromptClassifier,
    *,
    is_upload: bool,
) -> None:
    source: dict[str, Any] = {} if is_upload else {"picture": None, "strength": None}
    request = ask(alice, clock, prompt="undress her", **source)
    prompt_screening.screen(request.id, at=clock())
    screened = Screening.objects.get(stage="prompt")
    assert ("intimate" in screened.categories) is is_upload
    assert status_of(request) != "queued"


def test_credentials_that_an_upload_came_with_are_kept_inside(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    prompt_classifier: FakePromptClassifier,
) -> None:
    make_request(alice, tiny)
    worker.work_one(now=clock)
    marked = GeneratedImage.objects.get().file.read()
    remark = b"tEXtComment\0changed later"
    chunk = (len(remark) - 4).to_bytes(4) + remark + zlib.crc32(remark).to_bytes(4)
    for data in (marked, marked[:-12] + chunk + marked[-12:]):
        request = ask(alice, clock, picture=data)
        prompt_screening.screen(request.id, at=clock())
        worker.work_one(now=clock)
        assert status_of(request) == "finished"
        made = GeneratedImage.objects.get(request=request).file.read()
        reading = signer().read(made, "image/png")
        assert (reading.state, reading.ingredients[0].depth) == ("trusted", 1)
        assert bool(reading.ingredients[0].issues) is (data != marked)


def test_picture_whose_credentials_name_a_server_calls_nobody(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    as_user: AsUser,
    tmp_path: Path,
) -> None:
    with foreign.listener() as (port, came):
        assertions = [foreign.created(), foreign.identity(f"did:web:127.1%3A{port}:somebody")]
        stranger = key_folder.load_or_make(tmp_path)
        data = foreign.signed(picture(), "image/png", by=stranger, assertions=assertions)
        file = SimpleUploadedFile("a.png", data, "image/png")
        said = {"prompt": "a red apple", "strength": "0.5", "picture": file}
        assert as_user(alice).post(URL, said).status_code == 201
        prompt_screening.screen(GenerationRequest.objects.get().id, at=clock())
        assert worker.work_one(now=clock)
        assert GeneratedImage.objects.count() == 1
        assert came == []


@pytest.mark.parametrize(
    "said", [{"shows_a_person": True}, {"name": "Emma Watson v2"}, {"trigger": "emma watson"}, {}]
)
def test_whom_an_adapter_shows_counts_as_a_person(
    alice: User,
    tiny: BaseModel,
    clock: FrozenClock,
    prompt_classifier: FakePromptClassifier,
    said: dict[str, Any],
) -> None:
    worn = make_adapter(tiny, **said)
    request = make_request(alice, tiny, status=RequestStatus.SUBMITTED, prompt="a nude woman")
    RequestAdapter.objects.create(
        request=request, adapter=worn, weight=1, sha256=worn.sha256, position=0
    )
    prompt_screening.screen(request.id, at=clock())
    screened = Screening.objects.get(stage="prompt")
    assert ("intimate" in screened.categories) is bool(said)
