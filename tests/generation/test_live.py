"""The live page: the picture follows the typing, marked and screened, and is never stored."""

from __future__ import annotations

import asyncio
import io
from threading import Thread
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient, Client, RequestFactory
from PIL import Image
from pytest_django import Settings

from adapters.models import BaseModel
from config.core import notify
from generation.hardware import devices
from generation.live import drawing, live_views
from generation.models import GeneratedImage, GenerationRequest
from generation.work import worker
from moderation.models import Decision, ReviewCase, Statement
from provenance.keys import installed_keys
from provenance.marks import watermark
from tests.fakes import FakeImageClassifier, FrozenClock
from tests.generation.live_page import LivePage

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("tiny", "prompt_classifier", "image_classifier"),
]


@pytest.fixture
def page(alice: User, clock: FrozenClock) -> LivePage:
    return LivePage(alice, clock)


def test_what_is_typed_is_shown_marked_and_screened_and_stored_nowhere(
    page: LivePage, bob: User, image_classifier: FakeImageClassifier
) -> None:
    asked = page.draw("a teal kite")
    page.work()
    answer = page.look(asked)
    assert (answer.status_code, len(image_classifier.seen)) == (200, 1)
    pixels = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
    found = watermark.detect(pixels, key=installed_keys.keyring().watermark_key)
    assert found.identifier is not None
    assert not GeneratedImage.objects.exists()
    assert page.client.get("/api/v1/generations/").json()["results"] == []
    assert "a teal kite" not in page.client.get("/studio/").content.decode()
    assert LivePage(bob, page.clock).look(asked).status_code == 404


def test_newer_text_cancels_what_waits_and_drops_what_denoises(
    page: LivePage, tiny: BaseModel
) -> None:
    tiny.few_steps = tiny.live_steps = 100
    tiny.save()
    before = forwards_of(tiny)
    first = page.draw("a red")
    busy = Thread(target=work_beside, args=[page.clock])
    busy.start()
    while forwards_of(tiny) < before + 2:
        assert busy.is_alive()
    second = page.draw("a red app")
    third = page.draw("a red apple")
    busy.join()
    statuses = dict(GenerationRequest.objects.values_list("id", "status"))
    assert statuses == {first: "cancelled", second: "cancelled", third: "queued"}
    assert page.look(second).status_code == 204


def forwards_of(model: BaseModel) -> int:
    return devices.engine_for(model).denoiser.forwards


def work_beside(clock: FrozenClock) -> None:
    """Carry out what waits in a thread of its own."""
    worker.work_one(now=clock)
    connection.close()


def test_text_that_changes_nothing_asks_for_nothing(page: LivePage) -> None:
    assert page.draw("a red apple") == page.draw(" a red  apple ")
    assert page.draw("a red apple", seed="2") != page.draw("a red apple")


def test_prompt_that_would_be_stopped_is_not_shown_and_nobodys_case(
    page: LivePage, image_classifier: FakeImageClassifier
) -> None:
    asked = page.draw("an awful thing")
    page.work()
    answer = page.look(asked)
    assert answer.status_code == 409
    assert image_classifier.seen == []
    assert b"Submit it in the studio" in answer.content
    assert not ReviewCase.objects.exists()
    assert not Decision.objects.exists()


def test_picture_that_the_screening_stops_goes_the_usual_way(
    page: LivePage, image_classifier: FakeImageClassifier
) -> None:
    image_classifier.sexual = 0.99
    asked = page.draw()
    page.work()
    assert page.look(asked).status_code == 409
    assert GeneratedImage.objects.get().state == "withheld"
    assert Statement.objects.count() == 1
    assert "Withheld" in page.client.get("/studio/").content.decode()


def test_wrong_input_is_one_sentence(page: LivePage) -> None:
    answer = page.client.post("/studio/live/draw/", {"prompt": "", "model": "tiny"})
    assert answer.status_code == 422
    assert "prompt is empty" in answer.json()["message"]
    answer = page.client.post("/studio/live/draw/", {"prompt": "a" * 3000, "model": "tiny"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "prompt_too_long"


def test_page_names_the_quick_mode_and_needs_an_account(page: LivePage, tiny: BaseModel) -> None:
    said = page.client.get("/studio/live/").content.decode()
    assert f"in {drawing.steps_of(tiny)} steps" in said
    assert Client().get("/studio/live/").status_code == 302


def test_page_is_woken_as_soon_as_the_picture_is_there(
    page: LivePage, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_views, "LOOK_S", 30.0)  # nobody would look again in time by itself
    asked = page.draw("a teal kite")
    client = AsyncClient()
    client.force_login(alice)

    async def wait() -> Any:
        asleep, sleep_until = asyncio.Event(), notify.sleep_until

        async def note(name: str, *, seconds: float) -> None:
            asleep.set()
            await sleep_until(name, seconds=seconds)

        monkeypatch.setattr(notify, "sleep_until", note)
        answer = asyncio.ensure_future(client.get(f"/studio/live/{asked}/"))
        await asleep.wait()
        await asyncio.to_thread(work_beside, page.clock)
        return await asyncio.wait_for(answer, 10)

    answer = asyncio.run(wait())
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")


def test_page_looks_by_itself_where_the_cache_cannot_wake_it(settings: Settings) -> None:
    settings.CACHE_URL = "redis://127.0.0.1:1/0"
    asyncio.run(notify.sleep_until("wake:nobody", seconds=0.05))


@pytest.fixture
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(name: str, *, seconds: float) -> None:
        raise AssertionError("it waited")

    monkeypatch.setattr(notify, "sleep_until", refuse)


@pytest.mark.usefixtures("nobody_waits")
def test_an_id_of_nobodys_request_is_not_found_at_once(page: LivePage, bob: User) -> None:
    assert page.client.get(f"/studio/live/{uuid4()}/").status_code == 404
    hers = page.draw("a teal kite")
    bobs = Client()
    bobs.force_login(bob)
    assert bobs.get(f"/studio/live/{hers}/").status_code == 404


def test_of_sixty_waits_opened_together_a_person_gets_eight(
    page: LivePage, alice: User, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view itself: the test client carries out one request after the other."""
    asked = page.draw("a teal kite")
    monkeypatch.setattr(live_views, "LOOKS", 1)
    request: Any = rf.get(f"/studio/live/{asked}/")
    request.user = alice

    async def run() -> list[int]:
        go_on = asyncio.Event()

        async def sleep_until(name: str, *, seconds: float) -> None:
            await go_on.wait()

        monkeypatch.setattr(notify, "sleep_until", sleep_until)
        waits = [asyncio.ensure_future(live_views.picture(request, asked)) for _ in range(60)]
        refused = 60 - live_views.WAITS_MAX
        async with asyncio.timeout(240):
            while sum(wait.done() for wait in waits) < refused:
                await asyncio.sleep(0.01)
        go_on.set()
        return [answer.status_code for answer in await asyncio.gather(*waits)]

    statuses = asyncio.run(run())
    assert statuses.count(404) == live_views.WAITS_MAX
    assert statuses.count(429) == 60 - live_views.WAITS_MAX
    assert not live_views.seats.taken
