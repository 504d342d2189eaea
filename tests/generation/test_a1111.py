"""`/sdapi/v1/…` as AUTOMATIC1111's clients use it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from adapters.models import BaseModel
from config.models import ApiKey
from generation.compat.a1111 import key_state, prompt_tags
from generation.models import GenerationRequest, RequestStatus
from generation.progress import partials, previews
from tests.factories import make_adapter, make_key, make_model, make_request, png
from tests.fakes import FakeImageClassifier, FakePromptClassifier
from tests.generation.house_at_work import at_work

pytestmark = pytest.mark.django_db
SMALL = {"width": 256, "height": 256, "steps": 2, "seed": 7}


RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 30), (30, 30, 200), (250, 250, 250)
Colour = tuple[int, int, int]


def encoded(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def client_of(user: User, scheme: str = "Basic") -> Client:
    key = make_key(user)
    said = base64.b64encode(f"anybody:{key}".encode()).decode() if scheme == "Basic" else key
    return Client(headers={"Authorization": f"{scheme} {said}"})


@pytest.fixture
def api(alice: User) -> Iterator[Client]:
    cache.clear()
    yield client_of(alice)
    cache.clear()


@pytest.fixture
def house(
    tiny: BaseModel,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
) -> Iterator[BaseModel]:
    with at_work():
        yield tiny


def post(api: Client, what: str, **said: Any) -> Any:
    body = SMALL | {"prompt": "a red apple"} | said
    return api.post(f"/sdapi/v1/{what}", body, content_type="application/json")


def pictures_in(body: dict[str, Any]) -> list[Image.Image]:
    return [Image.open(io.BytesIO(base64.b64decode(each))) for each in body["images"]]


@pytest.mark.django_db(transaction=True)
def test_pictures_come_with_what_made_them(api: Client, house: BaseModel) -> None:
    answer = post(
        api, "txt2img", batch_size=1, n_iter=2, sampler_name="EULER A", scheduler="automatic",
        auth="anybody:secret", url="http://x", enable_hr=False, ADetailer=1, negative_prompt="blue",
    )  # fmt: skip
    body = answer.json()
    assert answer.status_code == 200, body
    assert [each.size for each in pictures_in(body)] == [(256, 256)] * 2
    info = json.loads(body["info"])
    assert info["all_seeds"] == [7, 8]
    assert info["infotexts"][0].startswith("a red apple\nNegative prompt: blue\nSteps: 2, Sampler:")
    assert "secret" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prompt", ["a red apple", "ein Apfel für Zoë, 苹果"])
def test_what_made_it_stands_in_the_file_for_who_asks_for_that_alone(
    api: Client, house: BaseModel, prompt: str
) -> None:
    [plain] = pictures_in(post(api, "txt2img", prompt=prompt).json())
    assert "parameters" not in plain.info
    assert prompt.encode() not in plain.tobytes()
    asked = {"enable_pnginfo": True}
    body = post(api, "txt2img", prompt=prompt, override_settings=asked).json()
    [told] = pictures_in(body)
    assert told.info["parameters"] == json.loads(body["info"])["infotexts"][0]
    assert told.info["parameters"].startswith(f"{prompt}\nSteps: 2, ")
    read = api.post("/sdapi/v1/png-info", {"image": body["images"][0]}, "application/json").json()
    assert read["parameters"]["Prompt"] == prompt
    file = io.BytesIO(base64.b64decode(body["images"][0]))
    file.name = "a.png"
    verdicts = Client().post("/api/v1/verify/", {"file": file}).json()
    assert verdicts["manifest"]["verdict"] == "found_good"
    assert verdicts["watermark"]["verdict"] == "found_good"


@pytest.mark.django_db(transaction=True)
def test_a_picture_starts_from_another(api: Client, house: BaseModel) -> None:
    given = base64.b64encode(png()).decode()
    answer = post(api, "img2img", init_images=[given], denoising_strength=0.5, steps=4)
    assert answer.status_code == 200, answer.json()
    assert GenerationRequest.objects.get().source.strength == 0.5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("mode", "left", "right", "top"),
    [
        (0, RED, BLUE, GREEN),  # all of it, stretched
        (1, GREEN, GREEN, GREEN),  # its middle
        (2, RED, BLUE, GREEN),  # all of it, its edges drawn out
    ],
)
def test_a_picture_of_another_shape_comes_as_its_resize_mode_says(
    api: Client, house: BaseModel, mode: int, left: Colour, right: Colour, top: Colour
) -> None:
    """Of what the mask keeps: nearly all."""
    wide, mask = Image.new("RGB", (1024, 256), GREEN), Image.new("L", (1024, 256))
    wide.paste(RED, (0, 0, 128, 256))
    wide.paste(BLUE, (896, 0, 1024, 256))
    wide.paste(WHITE, (480, 96, 544, 160))
    mask.paste(255, (600, 200, 620, 220))
    answer = post(
        api, "img2img", init_images=[encoded(wide)], mask=encoded(mask), resize_mode=mode,
        inpaint_full_res=False, mask_blur=0, steps=2,
    )  # fmt: skip
    assert answer.status_code == 200, answer.json()
    [made] = pictures_in(answer.json())
    shown = np.asarray(made.convert("RGB"), np.int16)
    for part, colour in ((shown[:, 2], left), (shown[:, -3], right), (shown[2, 128], top)):
        assert np.abs(part - colour).mean() < 12
    height = (np.abs(shown[:, 128] - WHITE).sum(axis=1) < 60).sum() / len(shown)
    assert height == pytest.approx({0: 0.25, 1: 0.25, 2: 0.0625}[mode], abs=0.02)


@pytest.mark.parametrize(("mode", "named"), [(3, "latent"), (4, "none"), (-1, "none")])
def test_a_resize_mode_that_is_not_done_is_refused_by_name(
    api: Client, model: BaseModel, mode: int, named: str
) -> None:
    told = post(api, "img2img", init_images=[base64.b64encode(png()).decode()], resize_mode=mode)
    assert (told.status_code, told.json()["error"]) == (400, "invalid")
    assert "resize_mode" in told.json()["detail"]
    assert named in told.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_refusal_says_reason_and_address(api: Client, house: BaseModel) -> None:
    answer = post(api, "txt2img", prompt="something (awful:1.2)")
    body = answer.json()
    assert answer.status_code == 400
    assert {"error", "detail", "body", "errors"} <= set(body)
    assert "Reasons and appeal: http" in body["detail"]
    assert GenerationRequest.objects.get().prompt == "something (awful:1.2)"


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"prompt": "a <lora:none:1>"}, 422, "adapter_not_usable"),
        ({"prompt": "a <lora:flat:x>"}, 422, "tag_not_understood"),
        ({"prompt": "a <hypernet:flat:1>"}, 422, "tag_not_understood"),
        ({"sampler_name": "Heun"}, 404, "sampler_unknown"),
        ({"width": 300}, 422, "size_not_offered"),
        ({"batch_size": 4, "n_iter": 4}, 400, "invalid"),
        ({"override_settings": {"sd_model_checkpoint": "none"}}, 422, "model_not_registered"),
        ({"steps": 1000}, 422, "steps_out_of_range"),
        ({"prompt": ""}, 422, "prompt_empty"),
    ],
)
def test_what_is_wrong_is_told(
    api: Client, model: BaseModel, said: dict[str, Any], status: int, code: str
) -> None:
    make_adapter(model)
    answer = post(api, "txt2img", **said)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert not GenerationRequest.objects.exists()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"init_images": []}, "invalid"),
        ({"init_images": ["http://169.254.169.254/a.png"]}, "image_url_not_inline"),
        ({"init_images": ["%%"]}, "invalid"),
        ({"init_images": ["AAAA", "AAAA"]}, "several_pictures_not_supported"),
    ],
)
def test_a_picture_that_cannot_be_taken_is_told(
    api: Client, model: BaseModel, said: dict[str, Any], code: str
) -> None:
    answer = post(api, "img2img", **said)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"] == code


@pytest.mark.parametrize("method", ["get", "post", "options"])
def test_without_a_key_one_is_asked_for_by_basic(client: Client, method: str) -> None:
    answer = getattr(client, method)("/sdapi/v1/options", {}, content_type="application/json")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")
    assert answer.json()["error"]


def test_basic_opens_nothing_else_and_a_bearer_opens_this(
    api: Client, alice: User, model: BaseModel
) -> None:
    assert api.get("/v1/models").status_code == 401
    assert client_of(alice, "Bearer").get("/sdapi/v1/sd-models").status_code == 200
    for wrong in ("Basic %%", "Basic", f"Basic {base64.b64encode(b'a:b').decode()}"):
        answer = Client(headers={"Authorization": wrong}).get("/sdapi/v1/sd-models")
        assert answer.status_code == 401


def test_what_clients_ask_first_is_answered(api: Client, model: BaseModel) -> None:
    make_adapter(model)

    def get(what: str) -> Any:
        return api.get(f"/sdapi/v1/{what}").json()

    assert get("scripts") == {"txt2img": [], "img2img": []}
    for what in ("upscalers", "latent-upscale-modes", "sd-vae"):
        assert get(what) == []
    assert [each["title"] for each in get("sd-models")] == ["tiny"]
    assert [each["name"] for each in get("loras")] == ["flat"]
    assert {"name", "aliases", "options"} == set(get("samplers")[0])
    assert get("schedulers")[0]["name"] == "automatic"
    options = get("options")
    assert options["sd_model_checkpoint"] == "tiny"
    assert "forge_preset" not in options


def test_the_model_is_remembered_for_the_key_alone(
    api: Client, alice: User, model: BaseModel
) -> None:
    make_model(slug="other", name="Other", is_default=False)
    chosen = {"sd_model_checkpoint": "other [abc]", "samples_format": "jpg"}
    answer = api.post("/sdapi/v1/options", chosen, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, None)
    assert api.get("/sdapi/v1/options").json()["sd_model_checkpoint"] == "other"
    another = client_of(alice).get("/sdapi/v1/options").json()
    assert another["sd_model_checkpoint"] == "tiny"


def test_progress_and_interrupt_are_of_the_keys_own_jobs(
    api: Client, alice: User, model: BaseModel
) -> None:
    request = make_request(alice, model)
    other = client_of(alice)
    cache.set(f"a1111:running:{ApiKey.objects.earliest('id').pk}", [str(request.id)])
    assert key_state.newest(ApiKey.objects.earliest("id").pk) == [request.id]
    assert api.get("/sdapi/v1/progress").json()["state"]["job_count"] == 1
    assert other.get("/sdapi/v1/progress").json()["progress"] == 0
    assert other.post("/sdapi/v1/interrupt").json() == {}
    request.refresh_from_db()
    assert request.is_active
    assert api.post("/sdapi/v1/interrupt").json() == {}
    request.refresh_from_db()
    assert request.status == RequestStatus.CANCELLED
    body = api.get("/sdapi/v1/progress").json()
    assert (body["progress"], body["state"]["job_count"]) == (0, 0)


def test_progress_shows_the_newest_picture_that_passed_the_screening_to_who_looks(
    api: Client, alice: User, model: BaseModel
) -> None:
    """None is made for a client that asks for the figures alone, and the studio's previews stay
    there."""
    request = make_request(alice, model, status="running")
    cache.set(f"a1111:running:{ApiKey.objects.earliest('id').pk}", [str(request.id)])
    previews.publish(request.id, previews.RenderProgress("denoise", 2, 4, preview=b"unscreened"))
    figures = api.get("/sdapi/v1/progress?skip_current_image=true").json()
    assert (figures["current_image"], partials.wanted(request.id)) == (None, 0)
    assert api.get("/sdapi/v1/progress").json()["current_image"] is None
    assert partials.wanted(request.id) == partials.MOST
    for place, data in enumerate((b"first", b"second")):
        partials.keep(request.id, place, data)
    shown = api.get("/sdapi/v1/progress").json()
    assert (base64.b64decode(shown["current_image"]), shown["progress"]) == (b"second", 0.5)
    other = client_of(alice).get("/sdapi/v1/progress").json()
    assert other["current_image"] is None


@pytest.mark.parametrize(
    ("prompt", "text", "loras"),
    [
        ("a cat <lora:flat:0.5>", "a cat", (("flat", 0.5),)),
        ("<lora:flat> a <lyco:ink:-1>cat", "a cat", (("flat", 1.0), ("ink", -1.0))),
        ("<lora:flat:te=0.3:unet=0.6>cat", "cat", (("flat", 0.3),)),
        ("(nu:1)(de:1)", "(nu:1)(de:1)", ()),
        ("((a)) [b]<lora:flat:2> BREAK (c:1.2)", "((a)) [b] BREAK (c:1.2)", (("flat", 2.0),)),
        (r"a \(b\) <lora:flat>c", r"a \(b\) c", (("flat", 1.0),)),
        ("ratio 3:2 stays", "ratio 3:2 stays", ()),
    ],
)
def test_tags_are_taken_out_and_weights_stay(
    prompt: str, text: str, loras: tuple[tuple[str, float], ...]
) -> None:
    assert prompt_tags.read(prompt) == prompt_tags.TaggedPrompt(text, loras)


def test_what_a1111_wrote_into_a_png_is_read(api: Client, model: BaseModel) -> None:
    out = io.BytesIO()
    text = 'a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 1, Model: "a, b"'
    written = PngInfo()
    written.add_text("parameters", text)
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=written)

    def ask(data: bytes) -> Any:
        body = {"image": base64.b64encode(data).decode()}
        return api.post("/sdapi/v1/png-info", body, content_type="application/json").json()

    said = ask(out.getvalue())
    assert said["info"] == text
    assert said["parameters"]["Prompt"] == "a cat"
    assert said["parameters"]["Model"] == "a, b"
    for other in (
        b"",
        b"none",
        png(),
        out.getvalue()[:40],
        b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt",
    ):
        assert ask(other) == {"info": "", "items": {}, "parameters": {}}
