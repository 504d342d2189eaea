"""Submitting: what is filled in, what is refused, and what a client's own key does."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import User
from django.db import connection

from adapters.access import visibility
from adapters.models import BaseModel, SizeNotOffered
from config.core.errors import ProofsheetError
from generation.models import GenerationRequest
from generation.request_rules import parameters
from generation.request_rules.parameters import RequestParameters
from generation.requests import idempotency, submitting
from tests.factories import NOON, make_adapter

pytestmark = pytest.mark.django_db


def submit(by: User, prompt: str = "a red apple", **said: object) -> GenerationRequest:
    asked = RequestParameters(prompt=prompt, **said)  # type: ignore[arg-type] # the tests name real fields
    return submitting.submit(asked, by=by, at=NOON).request


def test_submit_fills_in_what_the_model_is_used_to(alice: User, model: BaseModel) -> None:
    made = submit(alice)
    assert (made.status, made.steps, made.guidance) == ("submitted", 4, model.default_guidance)
    assert (made.width, made.height) == (256, 256)
    assert 0 <= made.seed <= parameters.SEED_MAX


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("  a\tred\n\napple\x00\x07 ", "a red apple"),
        ("\u202eelppa der a\u202c", "elppa der a"),
        ("تفاحة حمراء", "تفاحة حمراء"),
        ("תפוח אדום", "תפוח אדום"),
        ("🍎", "🍎"),
        ("👩‍🚀🏽", "👩‍🚀🏽"),
        ("e\u0301clair", "éclair"),
        ("word " * 100, ("word " * 100).strip()),
    ],
)
def test_unusual_prompts_are_taken_as_they_read(
    alice: User, model: BaseModel, prompt: str, kept: str
) -> None:
    assert submit(alice, prompt).prompt == kept


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"prompt": ""}, parameters.PromptEmpty),
        ({"prompt": " \n\t\x00\u200d"}, parameters.PromptEmpty),
        ({"prompt": "a" * 2001}, parameters.PromptTooLong),
        ({"prompt": "a", "negative_prompt": "b" * 10_000}, parameters.PromptTooLong),
        ({"prompt": "a", "steps": 0}, parameters.StepsOutOfRange),
        ({"prompt": "a", "steps": 10_000}, parameters.StepsOutOfRange),
        ({"prompt": "a", "guidance": float("nan")}, parameters.GuidanceOutOfRange),
        ({"prompt": "a", "guidance_rescale": 1.5}, parameters.GuidanceRescaleOutOfRange),
        ({"prompt": "a", "guidance_rescale": float("nan")}, parameters.GuidanceRescaleOutOfRange),
        ({"prompt": "a", "seed": -1}, parameters.SeedOutOfRange),
        ({"prompt": "a", "seed": 2**32}, parameters.SeedOutOfRange),
        ({"prompt": "a", "width": 513}, SizeNotOffered),
        ({"prompt": "a", "width": 0, "height": -4}, SizeNotOffered),
        ({"prompt": "a", "height": 10**9}, SizeNotOffered),
        ({"prompt": "a", "model": "no-such"}, visibility.ModelNotRegistered),
        ({"prompt": "a", "adapters": (("nobody", 1.0),)}, visibility.AdapterNotUsable),
        ({"prompt": "a", "adapters": (("flat", 9.0),)}, parameters.AdapterWeightOutOfRange),
        ({"prompt": "a", "adapters": (("flat", 1.0),) * 2}, parameters.AdapterTwice),
    ],
)
def test_bad_input_is_told_in_one_sentence_and_nothing_is_kept(
    alice: User, model: BaseModel, said: dict[str, object], error: type[ProofsheetError]
) -> None:
    make_adapter(model)
    with pytest.raises(error) as told:
        submit(alice, **said)  # type: ignore[arg-type] # each case names the prompt too
    assert told.value.code
    assert told.value.message.endswith(".")
    assert not GenerationRequest.objects.exists()


def test_submit_refuses_where_no_model_is_registered(alice: User) -> None:
    with pytest.raises(visibility.NoModel):
        submit(alice)


def test_adapter_of_somebody_else_cannot_be_used(
    alice: User, mallory: User, model: BaseModel
) -> None:
    make_adapter(model, owner=mallory, state="accepted", visibility="private")
    with pytest.raises(visibility.AdapterNotUsable):
        submit(alice, adapters=(("flat", 1.0),))


def test_adapters_keep_their_order_weight_and_digest(alice: User, model: BaseModel) -> None:
    first, second = make_adapter(model, slug="one"), make_adapter(model, slug="two")
    made = submit(alice, adapters=(("two", 0.5), ("one", -1.0)))
    rows = made.request_adapters.order_by("position")
    assert [(row.adapter, row.weight, row.sha256) for row in rows] == [
        (second, 0.5, second.sha256),
        (first, -1.0, first.sha256),
    ]


def test_same_key_and_body_is_the_same_request(alice: User, bob: User, model: BaseModel) -> None:
    asked = RequestParameters(prompt="a red apple")
    first = submitting.submit(asked, by=alice, at=NOON, idempotency_key="k")
    again = submitting.submit(asked, by=alice, at=NOON, idempotency_key="k")
    other = submitting.submit(asked, by=bob, at=NOON, idempotency_key="k")
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert first.request == again.request != other.request


def test_same_key_with_another_body_is_refused(alice: User, model: BaseModel) -> None:
    submitting.submit(
        RequestParameters(prompt="a red apple"), by=alice, at=NOON, idempotency_key="k"
    )
    with pytest.raises(idempotency.KeyReused):
        submitting.submit(
            RequestParameters(prompt="a pear"), by=alice, at=NOON, idempotency_key="k"
        )
    with pytest.raises(idempotency.KeyTooLong):
        submitting.submit(
            RequestParameters(prompt="a pear"), by=alice, at=NOON, idempotency_key="k" * 201
        )


@pytest.mark.django_db(transaction=True)
def test_eight_equal_submissions_at_once_make_one_request(alice: User, model: BaseModel) -> None:
    start, made = Barrier(8), []

    def send() -> None:
        start.wait()
        try:
            asked = RequestParameters(prompt="a red apple", seed=1)
            made.append(submitting.submit(asked, by=alice, at=NOON, idempotency_key="once"))
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert sum(submission.is_new for submission in made) == 1
    assert GenerationRequest.objects.count() == 1
