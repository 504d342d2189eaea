"""The live page: the picture follows the typing, marked and screened, and is never stored."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import AsyncClient, Client
from PIL import Image
from pytest_django import Settings

from adapters.models import BaseModel
from generation import admission, devices, live, live_views, progress, wakes, worker
from generation.models import GeneratedImage, GenerationRequest
from moderation.models import Decision, ReviewCase, Statement
from provenance import installation, watermark
from tests.factories import register_folder
from tests.fakes import FakeImageClassifier, FakePromptClassifier, FrozenClock

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("prompt_classifier"),
]
AsUser = Callable[[User], Client]
STARTER = settings.PROOFSHEET_STARTER_DIR / "model"


@pytest.fixture
def starter(db: None) -> Iterator[BaseModel]:
    """The model that ships, by the name that `draw` asks for: its text encoder reads words."""
    yield register_folder(STARTER, native_size=128, sizes=[[128, 128]])
    devices.forget_models()


def draw(
    client: Client, prompt: str = "a red apple", seed: str = "1", **more: str | list[str]
) -> UUID:
    said = {"prompt": prompt, "model": "tiny", "seed": seed} | more
    answer = client.post("/studio/live/draw/", said)
    assert answer.status_code == 200, answer.content
    return UUID(answer.json()["id"])


def look(
    client: Client, request_id: UUID, monkeypatch: pytest.MonkeyPatch, *, shown: str = ""
) -> Any:
    """What the address answers now, without waiting, to a page that shows a picture or none."""
    monkeypatch.setattr(live_views, "LOOKS", 1)
    headers = {"If-None-Match": shown} if shown else {}
    return client.get(f"/studio/live/{request_id}/", headers=headers)


def picture(client: Client, request_id: UUID, monkeypatch: pytest.MonkeyPatch) -> tuple[int, bytes]:
    answer = look(client, request_id, monkeypatch)
    return answer.status_code, answer.content


def status_of(request_id: UUID) -> str:
    return GenerationRequest.objects.get(id=request_id).status


def test_what_is_typed_is_shown_marked_and_screened_and_stored_nowhere(
    alice: User,
    bob: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = as_user(alice)
    asked = draw(client, "a teal kite")
    assert worker.work_one(now=clock)
    code, png = picture(client, asked, monkeypatch)
    assert (code, len(image_classifier.seen)) == (200, 1)
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    found = watermark.detect(pixels, key=installation.keyring().watermark_key)
    assert found.identifier is not None
    assert not GeneratedImage.objects.exists()
    assert client.get("/api/v1/generations/").json()["results"] == []
    assert "a teal kite" not in client.get("/studio/").content.decode()
    assert picture(as_user(bob), asked, monkeypatch)[0] == 404


def test_newer_text_cancels_what_waits_and_drops_what_denoises(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny.few_steps = 100
    tiny.save()
    monkeypatch.setattr(live, "STEPS", 100)
    client = as_user(alice)
    first = draw(client, "a red")

    def work() -> None:
        worker.work_one(now=clock)
        connection.close()

    busy = Thread(target=work)
    busy.start()
    while (seen := progress.read(first)) is None or seen.step < 2:
        assert busy.is_alive()
    second = draw(client, "a red app")
    third = draw(client, "a red apple")
    busy.join()
    assert [status_of(asked) for asked in (first, second, third)] == [
        "cancelled",
        "cancelled",
        "queued",
    ]
    assert picture(client, second, monkeypatch)[0] == 204


def test_text_that_changes_nothing_asks_for_nothing(
    alice: User, tiny: BaseModel, as_user: AsUser
) -> None:
    client = as_user(alice)
    assert draw(client, "a red apple") == draw(client, " a red  apple ")
    assert draw(client, "a red apple", seed="2") != draw(client, "a red apple")


def work(clock: FrozenClock) -> int:
    """Carry out what waits; how many forwards it took."""
    model = BaseModel.objects.get()
    before = devices.engine_for(model).denoiser.forwards
    assert worker.work_one(now=clock)
    return devices.engine_for(model).denoiser.forwards - before


@pytest.mark.parametrize("prompt", ["A RED Apple", "a red apple "])
def test_prompt_that_would_draw_the_same_keeps_the_picture_and_is_not_charged(
    alice: User,
    starter: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    prompt: str,
) -> None:
    client = as_user(alice)
    first = draw(client, "a red apple")
    assert work(clock) == live.steps_of(starter)
    shown = look(client, first, monkeypatch)
    charged = admission.usage_of(alice, at=clock()).device_seconds
    if (second := draw(client, prompt)) != first:  # the draft's own digest leaves blanks out
        assert work(clock) == 0
        assert status_of(second) == "cancelled"
    kept = look(client, second, monkeypatch, shown=shown["ETag"])
    assert (kept.status_code, kept.content, kept["ETag"]) == (304, b"", shown["ETag"])
    reloaded = look(client, second, monkeypatch)
    assert (reloaded.status_code, reloaded.content) == (200, shown.content)
    assert admission.usage_of(alice, at=clock()).device_seconds == charged
    assert len(image_classifier.seen) == 1


@pytest.mark.parametrize(
    ("prompt", "more"),
    [
        ("a green apple", {}),
        ("a red car", {}),
        ("A RED apple", {"seed": "2"}),
        ("A RED apple", {"negative_prompt": "leaf"}),
        ("A RED apple", {"guidance": "4"}),
        ("A RED apple", {"label": "bottom-left"}),
    ],
)
def test_whatever_would_change_the_picture_is_drawn(
    alice: User,
    starter: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    prompt: str,
    more: dict[str, str],
) -> None:
    client = as_user(alice)
    first = draw(client, "a red apple")
    work(clock)
    shown = look(client, first, monkeypatch)
    second = draw(client, prompt, **more)
    assert work(clock) == live.steps_of(starter)
    drawn = look(client, second, monkeypatch, shown=shown["ETag"])
    assert (drawn.status_code, drawn["ETag"]) == (200, f'"{second}"')
    assert drawn.content != shown.content


def test_small_changes_do_not_add_up_and_a_spared_one_is_not_compared_with(
    alice: User,
    starter: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    client = as_user(alice)
    first = draw(client, "house with garden")
    work(clock)
    for prompt in ("house with garden.", "House with GARDEN!"):
        spared = draw(client, prompt)
        assert work(clock) == 0
        shown = live.shown_to(GenerationRequest.objects.select_related("model").get(id=spared))
        assert shown is not None
        assert (shown.prompt, shown.picture.drawn_for) == ("house with garden", first)


def test_picture_of_another_user_is_never_kept(
    alice: User,
    bob: User,
    starter: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    draw(as_user(alice), "a red apple")
    work(clock)
    draw(as_user(bob), "a red apple")
    assert work(clock) == live.steps_of(starter)


def test_picture_that_is_gone_is_drawn_again(
    alice: User,
    starter: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
) -> None:
    client = as_user(alice)
    first = draw(client, "a red apple")
    work(clock)
    cache.delete(live._picture_key(alice.pk, first))
    draw(client, "A RED apple")
    assert work(clock) == live.steps_of(starter)


def test_spared_prompt_is_screened_like_every_other(
    alice: User,
    starter: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    prompt_classifier: FakePromptClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = as_user(alice)
    draw(client, "a red apple")
    work(clock)
    monkeypatch.setattr(prompt_classifier, "score", lambda text: {"sexual": 0.95})
    second = draw(client, "A RED apple")
    assert work(clock) == 0
    answer = look(client, second, monkeypatch)
    assert (answer.status_code, answer.json()["code"]) == (409, "live_prompt_stopped")


def test_stopped_picture_is_never_what_is_shown(
    alice: User,
    starter: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = as_user(alice)
    image_classifier.sexual = 0.99
    first = draw(client, "a red apple")
    work(clock)
    assert look(client, first, monkeypatch).status_code == 409
    second = draw(client, "A RED apple")
    assert work(clock) == live.steps_of(starter)
    assert look(client, second, monkeypatch).status_code == 409


def test_prompt_that_would_be_stopped_is_not_drawn_and_nobodys_case(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = as_user(alice)
    asked = draw(client, "an awful thing")
    assert worker.work_one(now=clock)
    code, said = picture(client, asked, monkeypatch)
    assert code == 409
    assert b"Submit it in the studio" in said
    assert not ReviewCase.objects.exists()
    assert not Decision.objects.exists()


def test_picture_that_the_screening_stops_goes_the_usual_way(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image_classifier.sexual = 0.99
    client = as_user(alice)
    asked = draw(client)
    worker.work_one(now=clock)
    assert picture(client, asked, monkeypatch)[0] == 409
    assert GeneratedImage.objects.get().state == "withheld"
    assert Statement.objects.count() == 1
    assert "Withheld" in client.get("/studio/").content.decode()


def test_wrong_input_is_one_sentence(
    alice: User, tiny: BaseModel, as_user: AsUser, prompt_classifier: FakePromptClassifier
) -> None:
    answer = as_user(alice).post("/studio/live/draw/", {"prompt": "", "model": "tiny"})
    assert answer.status_code == 422
    assert "prompt is empty" in answer.json()["message"]
    answer = as_user(alice).post("/studio/live/draw/", {"prompt": "a" * 3000, "model": "tiny"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "prompt_too_long"


def test_page_names_the_quick_mode_and_needs_an_account(
    alice: User, tiny: BaseModel, as_user: AsUser
) -> None:
    page = as_user(alice).get("/studio/live/").content.decode()
    assert f"in {live.steps_of(tiny)} steps" in page
    assert Client().get("/studio/live/").status_code == 302


def test_page_is_woken_as_soon_as_the_picture_is_there(
    alice: User,
    tiny: BaseModel,
    as_user: AsUser,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_views, "LOOK_S", 30.0)  # nobody would look again in time by itself
    asked = draw(as_user(alice), "a teal kite")
    client = AsyncClient()
    client.force_login(alice)

    def work() -> None:
        worker.work_one(now=clock)
        connection.close()

    async def wait() -> Any:
        asleep, sleep_until = asyncio.Event(), wakes.sleep_until

        async def note(name: str, *, seconds: float) -> None:
            asleep.set()
            await sleep_until(name, seconds=seconds)

        monkeypatch.setattr(wakes, "sleep_until", note)
        answer = asyncio.ensure_future(client.get(f"/studio/live/{asked}/"))
        await asleep.wait()
        await asyncio.to_thread(work)
        return await asyncio.wait_for(answer, 10)

    answer = asyncio.run(wait())
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")


def test_page_looks_by_itself_where_the_cache_cannot_wake_it(settings: Settings) -> None:
    settings.CACHE_URL = "redis://127.0.0.1:1/0"
    asyncio.run(wakes.sleep_until("wake:nobody", seconds=0.05))
