"""Painting a part of a picture anew: what each client means by a mask, and what becomes of it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from numpy.typing import NDArray
from PIL import Image
from rest_framework.test import APIClient

from adapters.models import BaseModel
from config.core.errors import ProofsheetError
from generation.conditions import init_images, masks
from generation.gallery import own_images
from generation.models import GeneratedImage, GenerationRequest, SourcePicture, private_storage
from generation.request_rules.parameters import RequestParameters, SentMask
from generation.requests import prompt_screening, submitting
from generation.studio import own_requests
from generation.work import worker
from provenance.manifests.signing_context import signer
from tests.fakes import FakeImageClassifier, FakePromptClassifier, FrozenClock
from tests.generation import openai_client, test_a1111
from tests.generation.house_at_work import at_work
from tests.generation.openai_client import EDITS, error_of

pytestmark = pytest.mark.django_db(transaction=True)
SIDE = 256
URL = "/api/v1/generations/"
Levels = NDArray[np.uint8]
AsUser = Callable[[User], Client]


@pytest.fixture(autouse=True)
def before() -> set[str]:
    """What earlier tests left behind."""
    return stored()


def file(pixels: NDArray[Any], mode: str | None = None) -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(pixels)
    image.convert(mode or image.mode).save(out, "PNG")
    return out.getvalue()


def drawn(width: int = SIDE, height: int = SIDE) -> bytes:
    return file(np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8))


def corner(white: int = 255, black: int = 0, side: int = SIDE) -> Levels:
    """White in its upper left quarter."""
    levels = np.full((side, side), black, np.uint8)
    levels[: side // 2, : side // 2] = white
    return levels


def with_alpha(alpha: Levels) -> bytes:
    return file(np.dstack([np.full((*alpha.shape, 3), 90, np.uint8), alpha]))


def ask(by: User, clock: FrozenClock, **said: Any) -> GenerationRequest:
    usual: dict[str, Any] = {"prompt": "a red apple", "picture": drawn(), "steps": 4}
    usual |= {"mask": SentMask(file(corner()))}
    return submitting.submit(RequestParameters(**usual | said), by=by, at=clock()).request


def kept_mask() -> Levels:
    [source] = SourcePicture.objects.all()
    with source.mask.open("rb") as opened:
        return np.asarray(Image.open(io.BytesIO(opened.read())))


def make(request: GenerationRequest, clock: FrozenClock) -> GeneratedImage:
    prompt_screening.screen(request.id, at=clock())
    assert worker.work_one(now=clock)
    return GeneratedImage.objects.get(request=request)


@pytest.mark.parametrize("own_image", [False, True])
def test_what_is_not_masked_is_delivered_as_it_was_but_for_the_watermark(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
    own_image: bool,
) -> None:
    said: dict[str, Any] = {}
    before = np.asarray(Image.open(io.BytesIO(drawn())), np.int16)
    if own_image:
        first = make(ask(alice, clock, picture=drawn(), mask=None), clock)
        said = {"picture": None, "source_image": str(first.id)}
        before = np.asarray(Image.open(first.file), np.int16)
    made = make(ask(alice, clock, **said), clock)
    after = np.asarray(Image.open(made.file), np.int16)
    distance = np.abs(after - before).mean(axis=2)
    is_masked = corner() > 0
    assert distance[~is_masked].max() < 40  # the watermark's own reach, by the picture's detail
    assert distance[~is_masked].mean() < 6
    assert distance[is_masked].mean() > 40


def test_the_record_says_what_was_opened_and_which_part_was_painted_anew(
    alice: User,
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
) -> None:
    request = ask(alice, clock)
    made = make(request, clock)
    source = SourcePicture.objects.get()
    assert made.source["mask"] == source.mask_sha256
    with made.file.open("rb") as opened:
        data = opened.read()
    reading = signer().read(data, "image/png")
    assert (reading.state, reading.is_altered) == ("trusted", True)
    opened_action, edited, marked = actions_in(data)
    told = [each["action"] for each in (opened_action, edited, marked)]
    assert told == ["c2pa.opened", "c2pa.edited", "c2pa.watermarked.bound"]
    assert edited["digitalSourceType"].endswith("compositeWithTrainedAlgorithmicMedia")
    [change] = edited["changes"]
    [region] = change["region"]
    assert region["shape"] == {
        "type": "rectangle",
        "unit": "percent",
        "origin": {"x": 0.0, "y": 0.0},
        "width": 50.0,
        "height": 50.0,
    }


def actions_in(data: bytes) -> list[dict[str, Any]]:
    import c2pa

    report = c2pa.Reader("image/png", io.BytesIO(data)).get_active_manifest()
    [actions] = [a for a in report["assertions"] if a["label"].startswith("c2pa.actions")]
    found: list[dict[str, Any]] = actions["data"]["actions"]
    return found


# ---------------------------------------------------------------- what clients mean


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (SentMask(file(corner())), corner()),
        (SentMask(file(corner(), "RGB")), corner()),
        (SentMask(file(corner(), "1")), corner()),
        (SentMask(file(corner(200, 30))), corner(200, 30)),
        (SentMask(file(corner().astype(np.uint16) * 257)), corner()),
        (SentMask(file(corner(129, 3).astype(np.uint16) * 257)), corner(129, 3)),
        (SentMask(file(corner()), is_inverted=True), 255 - corner()),
        (SentMask(with_alpha(corner(0, 255)), anew="transparent"), corner()),
        (SentMask(with_alpha(corner(55, 255)), anew="transparent"), corner(200)),
        (SentMask(with_alpha(corner(129, 128)), anew="webui"), corner()),
        (SentMask(file(corner()), anew="webui"), corner()),
        (SentMask(file(corner(), "RGBA"), anew="webui"), corner()),
        (SentMask(file(corner(), "RGBA")), corner()),
    ],
)
def test_whatever_is_meant_is_kept_as_grey_levels(
    alice: User, model: BaseModel, clock: FrozenClock, sent: SentMask, expected: Levels
) -> None:
    ask(alice, clock, mask=sent)
    assert np.array_equal(kept_mask(), expected)


def test_a_blur_softens_the_border_alone(alice: User, model: BaseModel, clock: FrozenClock) -> None:
    ask(alice, clock, mask=SentMask(file(corner()), blur=4))
    levels = kept_mask()
    assert 0 < levels[64, 128] < 255
    assert levels[64, 64] == 255
    assert not levels[200, :].any()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (SentMask(file(np.zeros((SIDE, SIDE), np.uint8))), "mask_empty"),
        (SentMask(file(np.full((SIDE, SIDE), 255, np.uint8))), "mask_full"),
        (SentMask(file(corner(side=128))), "mask_size_differs"),
        (SentMask(file(corner()[:, :200])), "mask_size_differs"),
        (SentMask(file(corner()), anew="transparent"), "mask_without_alpha"),
        (SentMask(with_alpha(corner(255, 255)), anew="transparent"), "mask_empty"),
        (SentMask(with_alpha(corner(0, 255))), "mask_has_alpha"),
        (SentMask(b""), "mask_unreadable"),
        (SentMask(b"GIF89a" + bytes(99)), "mask_unreadable"),
        (SentMask(file(corner())[:120]), "mask_unreadable"),
        (SentMask(file(np.zeros((4000, 4000), np.uint8))), "mask_unreadable"),
        (SentMask(file(corner()), blur=65), "mask_blur_out_of_range"),
        (SentMask(file(corner()), blur=float("nan")), "mask_blur_out_of_range"),
        (SentMask(file(corner()), padding=-1), "mask_padding_out_of_range"),
    ],
)
def test_a_mask_that_cannot_be_used_is_told_in_one_sentence_and_nothing_is_kept(
    alice: User,
    model: BaseModel,
    clock: FrozenClock,
    before: set[str],
    sent: SentMask,
    code: str,
) -> None:
    with pytest.raises(ProofsheetError) as told:
        ask(alice, clock, mask=sent)
    assert told.value.code == code
    assert told.value.message.count("mask") >= 1
    assert not GenerationRequest.objects.exists()
    assert stored() == before


def test_a_mask_needs_a_picture(alice: User, model: BaseModel, clock: FrozenClock) -> None:
    with pytest.raises(ProofsheetError) as told:
        ask(alice, clock, picture=None)
    assert told.value.code == "mask_without_source"


def test_a_mask_in_what_is_cropped_away_leaves_nothing_to_paint(
    alice: User, model: BaseModel, clock: FrozenClock
) -> None:
    levels = np.zeros((SIDE, 3 * SIDE), np.uint8)
    levels[:, :64] = 255
    with pytest.raises(masks.MaskEmpty):
        ask(alice, clock, picture=drawn(3 * SIDE, SIDE), mask=SentMask(file(levels)))


# ---------------------------------------------------------------- doors


@pytest.fixture
def house(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
) -> Iterator[BaseModel]:
    with at_work():
        yield tiny


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("a.png", data, "image/png")


def test_own_api_takes_a_mask_and_tells_of_it(alice: User, model: BaseModel) -> None:
    client = APIClient()
    client.force_authenticate(alice)
    said = {"prompt": "a", "picture": upload(drawn()), "mask": upload(file(corner()))}
    said |= {"mask_blur": "2", "mask_fill": "noise", "mask_padding": "16"}
    answer = client.post(URL, said, format="multipart")
    assert answer.status_code == 201, answer.json()
    source = SourcePicture.objects.get()
    assert answer.json()["source"]["mask_sha256"] == source.mask_sha256 != ""
    assert (source.strength, source.mask_fill, source.mask_padding) == (1.0, "noise", 16)
    bad = {"prompt": "a", "picture": upload(drawn()), "mask": upload(b"x")}
    assert client.post(URL, bad, format="multipart").json()["code"] == "mask_unreadable"
    bad = {"prompt": "a", "mask": upload(file(corner()))}
    assert client.post(URL, bad, format="multipart").json()["code"] == "mask_without_source"


def test_openai_paints_what_is_transparent(alice: User, house: BaseModel) -> None:
    api = openai_client.client_of(alice)
    form = {"image": upload(drawn()), "mask": upload(with_alpha(corner(0, 255)))}
    answer = api.post(EDITS, form | {"prompt": "a pear", "steps": "4"})
    assert answer.status_code == 200, answer.content
    source = SourcePicture.objects.get()
    assert (source.strength, source.mask_padding) == (1.0, None)
    assert np.array_equal(kept_mask(), corner())


def test_openai_takes_a_mask_in_json(alice: User, model: BaseModel) -> None:
    urls = [f"data:image/png;base64,{base64.b64encode(data).decode()}"
            for data in (drawn(), with_alpha(corner(255, 255)))]  # fmt: skip
    api = openai_client.client_of(alice)
    body = {"images": [{"image_url": urls[0]}], "mask": {"image_url": urls[1]}, "prompt": "a pear"}
    answer = api.post(EDITS, body, content_type="application/json")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "mask_empty")
    assert error_of(answer)["param"] == "mask"
    body |= {"mask": {"image_url": "https://example.org/a.png"}}
    answer = api.post(EDITS, body, content_type="application/json")
    assert error_of(answer)["code"] == "image_url_not_inline"
    two = {"image": upload(drawn()), "mask": [upload(b"a"), upload(b"b")], "prompt": "a"}
    assert error_of(api.post(EDITS, two))["param"] == "mask"


@pytest.mark.parametrize(
    ("said", "fill", "padding", "inverted"),
    [
        ({}, "surroundings", 0, False),
        ({"inpaint_full_res": False, "inpainting_fill": 1}, "original", None, False),
        ({"inpaint_full_res": 1, "inpaint_full_res_padding": 32, "inpainting_fill": 2,
          "inpainting_mask_invert": 1, "mask_blur": 0}, "noise", 32, True),
        ({"inpainting_fill": 3, "mask_blur_x": 4, "mask_round": True}, "nothing", 0, False),
    ],
)  # fmt: skip
def test_a1111_paints_what_is_white(
    alice: User,
    house: BaseModel,
    said: dict[str, Any],
    fill: str,
    padding: int | None,
    inverted: bool,
) -> None:
    api = test_a1111.client_of(alice)
    picture, mask = (base64.b64encode(data).decode() for data in (drawn(), file(corner())))
    body = {"init_images": [picture], "mask": mask, "steps": 4, "denoising_strength": 0.75} | said
    answer = test_a1111.post(api, "img2img", **body)
    assert answer.status_code == 200, answer.json()
    source = SourcePicture.objects.get()
    assert (source.mask_fill, source.mask_padding) == (fill, padding)
    levels = kept_mask()
    assert (levels[40, 40], levels[220, 220]) == ((0, 255) if inverted else (255, 0))
    assert (mask[:60] in answer.content.decode()) is False


# ---------------------------------------------------------------- what becomes of it


def stored() -> set[str]:
    try:
        return set(private_storage().listdir("sources")[1])
    except FileNotFoundError:
        return set()


def test_a_mask_is_erased_with_its_request_and_with_its_account(
    alice: User, model: BaseModel, clock: FrozenClock, before: set[str]
) -> None:
    first, second = ask(alice, clock), ask(alice, clock)
    assert len(stored() - before) == 4
    own_requests.cancel(first.id, by=alice, at=clock())
    own_requests.delete_request(first.id, by=alice, at=clock())
    assert len(stored() - before) == 2
    assert not SourcePicture.objects.get(request=first).mask
    second.delete()
    assert stored() == before


def test_a_mask_of_a_refused_submission_is_not_kept(
    alice: User,
    model: BaseModel,
    clock: FrozenClock,
    before: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr(init_images, "attach", fail)
    with pytest.raises(RuntimeError):
        ask(alice, clock)
    assert stored() == before


def test_again_paints_the_same_part(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
) -> None:
    first = ask(alice, clock, mask=SentMask(file(corner()), blur=3, fill="noise", padding=8))
    made = make(first, clock)
    assert as_user(alice).post(f"/images/{made.id}/again/").status_code == 302
    old, new = SourcePicture.objects.order_by("created_at")
    assert (old.mask_sha256, new.mask_fill, new.mask_padding) == (new.mask_sha256, "noise", 8)
    assert "in part" in as_user(alice).get(f"/images/{made.id}/").content.decode()
    own_images.delete_image(made.id, by=alice, at=clock())


def test_the_same_call_with_another_mask_is_another_call(alice: User) -> None:
    one, other, none = (
        RequestParameters("a", picture=b"p", mask=mask)
        for mask in (SentMask(b"m"), SentMask(b"n"), None)
    )
    assert len({one.sha256(), other.sha256(), none.sha256()}) == 3
