"""The live page draws nothing again that would look the same (ADR 55)."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from adapters.models import BaseModel
from generation.live import drawing
from generation.models import GenerationRequest
from generation.requests import admission
from tests.fakes import FakeImageClassifier, FakePromptClassifier, FrozenClock
from tests.generation.live_page import LivePage

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("prompt_classifier", "image_classifier"),
]


@pytest.fixture
def page(alice: User, starter: BaseModel, clock: FrozenClock) -> LivePage:
    """On the model that ships: its text encoder reads words."""
    return LivePage(alice, clock)


@pytest.mark.parametrize("prompt", ["A RED Apple", "a red apple "])
def test_prompt_that_would_draw_the_same_keeps_the_picture_and_is_not_charged(
    page: LivePage,
    alice: User,
    starter: BaseModel,
    image_classifier: FakeImageClassifier,
    clock: FrozenClock,
    prompt: str,
) -> None:
    first = page.draw("a red apple")
    assert page.work() == drawing.steps_of(starter)
    shown = page.look(first)
    charged = admission.usage_of(alice, at=clock()).device_seconds
    if (second := page.draw(prompt)) != first:  # the request's own digest leaves blanks out
        assert page.work() == 0
        assert GenerationRequest.objects.get(id=second).status == "cancelled"
    kept = page.look(second, shown=shown["ETag"])
    assert (kept.status_code, kept.content, kept["ETag"]) == (304, b"", shown["ETag"])
    reloaded = page.look(second)
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
    page: LivePage, starter: BaseModel, prompt: str, more: dict[str, str]
) -> None:
    first = page.draw("a red apple")
    page.work()
    shown = page.look(first)
    second = page.draw(prompt, **more)
    assert page.work() == drawing.steps_of(starter)
    drawn = page.look(second, shown=shown["ETag"])
    assert (drawn.status_code, drawn["ETag"]) == (200, f'"{second}"')
    assert drawn.content != shown.content


def test_small_changes_do_not_add_up_and_a_spared_one_is_not_compared_with(page: LivePage) -> None:
    first = page.draw("house with garden")
    page.work()
    for prompt in ("house with garden.", "House with GARDEN!"):
        spared = page.draw(prompt)
        assert page.work() == 0
        request = GenerationRequest.objects.select_related("model").get(id=spared)
        shown = drawing.shown_to(request, drawing.setting_of(request, [], None))
        assert shown is not None
        assert (shown.prompt, shown.picture.drawn_for) == ("house with garden", first)


def test_picture_of_another_user_is_never_kept(
    page: LivePage, bob: User, starter: BaseModel
) -> None:
    page.draw("a red apple")
    page.work()
    other = LivePage(bob, page.clock)
    other.draw("a red apple")
    assert other.work() == drawing.steps_of(starter)


def test_picture_that_is_gone_is_drawn_again(
    page: LivePage, alice: User, starter: BaseModel
) -> None:
    first = page.draw("a red apple")
    page.work()
    cache.delete(drawing._picture_key(alice.pk, first))
    page.draw("A RED apple")
    assert page.work() == drawing.steps_of(starter)


def test_spared_prompt_is_screened_like_every_other(
    page: LivePage, prompt_classifier: FakePromptClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.draw("a red apple")
    page.work()
    monkeypatch.setattr(prompt_classifier, "score", lambda text: {"sexual": 0.95})
    second = page.draw("A RED apple")
    assert page.work() == 0
    answer = page.look(second)
    assert (answer.status_code, answer.json()["code"]) == (409, "live_prompt_stopped")


def test_stopped_picture_is_never_what_is_shown(
    page: LivePage, starter: BaseModel, image_classifier: FakeImageClassifier
) -> None:
    image_classifier.sexual = 0.99
    first = page.draw("a red apple")
    page.work()
    assert page.look(first).status_code == 409
    second = page.draw("A RED apple")
    assert page.work() == drawing.steps_of(starter)
    assert page.look(second).status_code == 409
