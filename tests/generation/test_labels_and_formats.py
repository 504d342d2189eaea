"""A visible label by request, and downloads in three formats, as a user meets them."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from adapters.models import BaseModel
from generation.gallery import variations
from generation.models import GeneratedImage, GenerationRequest
from generation.request_rules.parameters import RequestParameters
from generation.work import worker
from provenance.assets import label_choices
from provenance.assets.label_choices import LabelNotOffered
from provenance.log import transparency_log
from provenance.marks import visible_label
from provenance.verify import examination
from tests.factories import make_image, make_request
from tests.fakes import FakeImageClassifier, FrozenClock
from tests.generation.test_api import client_of, post
from tests.generation.test_image_page import seal

AsUser = Callable[[User], Client]
CORNER = "bottom-right AI generated"


def bright(data: bytes) -> int:
    """How many nearly white pixels the lower right corner has."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    height, width = pixels.shape
    return int((pixels[height * 3 // 4 :, width // 3 :] > 235).sum())


@pytest.mark.django_db(transaction=True)
def test_label_is_drawn_before_the_picture_is_marked_and_screened(
    alice: User, tiny: BaseModel, image_classifier: FakeImageClassifier, clock: FrozenClock
) -> None:
    for label in ("", CORNER):
        make_request(alice, tiny, width=512, height=512, label=label)
        assert worker.work_one(now=clock)
    transparency_log.sequence(at=clock())
    plain, labelled = GeneratedImage.objects.order_by("created_at", "id")
    if plain.request.label:
        plain, labelled = labelled, plain
    data = labelled.file.read()
    assert bright(data) > bright(plain.file.read()) + 200
    assert any(bright(seen) == bright(data) for seen in image_classifier.seen)
    report = examination.check(data, at=clock())
    assert report.manifest.visible_label == "AI generated"
    assert {report.manifest.verdict, report.watermark.verdict, report.log.verdict} == {"found_good"}
    parameters = variations.parameters_of(labelled, keeps_seed=True)
    assert (parameters.visible_label, parameters.visible_label_text) == (
        "bottom-right",
        "AI generated",
    )
    assert variations.parameters_of(plain, keeps_seed=True).visible_label == "none"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("usual", "said", "stored"),
    [
        ("", {}, ""),
        ("", {"visible_label": "top-left"}, "top-left AI generated"),
        ("", {"visible_label": "top-left", "visible_label_text": "KI"}, "top-left KI"),
        ("bottom-left", {}, "bottom-left AI generated"),
        ("bottom-left", {"visible_label": "none"}, ""),
        ("bottom-left", {"visible_label_text": "KI"}, "bottom-left KI"),
    ],
)
def test_label_is_the_usual_one_unless_a_request_says_otherwise(
    alice: User, model: BaseModel, settings: Settings, usual: str, said: dict[str, str], stored: str
) -> None:
    settings.PROOFSHEET_LABEL = usual
    settings.PROOFSHEET_LABEL_TEXTS = ["AI generated", "KI"]
    answer = post(client_of(alice), **said)
    assert answer.status_code == 201
    assert answer.json()["visible_label"] == stored
    assert GenerationRequest.objects.get().label == stored


@pytest.mark.django_db
@pytest.mark.parametrize(
    "said", [{"visible_label": "middle"}, {"visible_label_text": "made by hand"}]
)
def test_label_that_is_not_offered_is_refused(
    alice: User, model: BaseModel, said: dict[str, str]
) -> None:
    answer = post(client_of(alice), **said)
    assert (answer.status_code, answer.json()["code"]) == (422, "label_not_offered")
    assert not GenerationRequest.objects.exists()


def test_texts_that_cannot_be_drawn_are_named(settings: Settings) -> None:
    settings.PROOFSHEET_LABEL_TEXTS = ["\u732b"]
    with pytest.raises(ImproperlyConfigured, match="VISIBLE_LABEL_TEXTS"):
        label_choices.chosen("top-left", None)


def test_stored_label_round_trips() -> None:
    for text in ("AI generated", "KI", "a b  c"):
        label = visible_label.checked(text, "top-right")
        assert visible_label.parse(str(label)) == label
    assert visible_label.parse("") is None
    with pytest.raises(LabelNotOffered):
        label_choices.chosen("here", None)


@pytest.mark.django_db
def test_studio_offers_the_label_and_keeps_what_was_chosen(
    alice: User, model: BaseModel, as_user: AsUser, settings: Settings
) -> None:
    client = as_user(alice)
    page = client.get("/studio/").content.decode()
    assert 'name="label"' in page
    assert 'name="label_text"' not in page  # one text is no choice
    settings.PROOFSHEET_LABEL_TEXTS = ["AI generated", "KI"]
    assert 'name="label_text"' in client.get("/studio/").content.decode()
    said = {"prompt": "a red apple", "model": model.slug, "label": "top-right", "label_text": "KI"}
    client.post("/studio/submit/", said)
    assert GenerationRequest.objects.get().label == "top-right KI"


@pytest.fixture
def image(alice: User, model: BaseModel) -> GeneratedImage:
    found = make_image(alice, model, width=512, height=512)
    sealed = seal(found)
    found.file.save(f"images/{found.id}.png", ContentFile(sealed.data))
    transparency_log.sequence(at=datetime.now(UTC))
    return found


def check(client: Any, url: str, kind: str, data: dict[str, str]) -> None:
    answer = client.get(url, data)
    assert (answer.status_code, answer["Content-Type"]) == (200, f"image/{kind}")
    suffix = "jpg" if kind == "jpeg" else kind
    assert f'.{suffix}"' in answer["Content-Disposition"]
    assert "private" in answer["Cache-Control"] or "no-store" in answer["Cache-Control"]
    report = examination.check(answer.content, at=datetime.now(UTC))
    assert report.is_ours
    assert (report.manifest.verdict, report.log.verdict) == ("found_good", "found_good")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_image_is_downloaded_in_the_format_that_is_asked_for(
    image: GeneratedImage, alice: User, as_user: AsUser, kind: str
) -> None:
    check(as_user(alice), f"/images/{image.id}/file/", kind, {"as": kind, "download": ""})
    api: APIClient = client_of(alice)
    check(api, f"/api/v1/images/{image.id}/file/", kind, {"as": kind})
    assert f"as={kind}" in as_user(alice).get(f"/images/{image.id}/").text or kind == "png"


@pytest.mark.django_db
def test_copy_that_was_signed_again_is_not_taken_for_the_one_before(
    image: GeneratedImage, alice: User, as_user: AsUser
) -> None:
    client, path = as_user(alice), f"/images/{image.id}/file/?as=jpeg"
    first = client.get(path)
    again = client.get(path, HTTP_IF_NONE_MATCH=first["ETag"])  # nothing keeps it: signed anew
    assert again.status_code == 200
    assert again["ETag"] == f'"{sha256(again.content).hexdigest()}"' != first["ETag"]


@pytest.mark.django_db
def test_format_that_is_not_offered_is_refused(
    image: GeneratedImage, alice: User, mallory: User, as_user: AsUser
) -> None:
    for client in (as_user(alice), client_of(alice)):
        page = "/api/v1" if isinstance(client, APIClient) else ""
        answer = client.get(f"{page}/images/{image.id}/file/", {"as": "tiff"})
        assert answer.status_code == 422
        assert "format_not_offered" in answer.content.decode()
    assert as_user(mallory).get(f"/images/{image.id}/file/", {"as": "jpeg"}).status_code == 404


def test_draft_without_a_label_says_none() -> None:
    assert RequestParameters(prompt="x").visible_label is None
