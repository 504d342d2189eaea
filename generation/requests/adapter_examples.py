"""Renders the example pictures that an adapter's review needs, and hands them in.

They are requests of the adapter's owner in the lowest class, so they wait behind everything else
and pass the whole way of an image. Their ends are collected by the sweeper, whatever they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from adapters.models import Adapter, AdapterExample
from adapters.publishing import examples
from adapters.publishing.examples import ExampleMissing, ExamplePicture
from adapters.signals import examples_wanted
from config.core.projects import personal
from config.core.projects.calling import Caller
from generation.capacity import estimates
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus
from generation.request_rules import priority_classes
from generation.request_rules.parameters import RequestParameters
from generation.requests import creation
from generation.requests.resolving import ResolvedRequest
from provenance.assets import label_choices

STATES = {
    ImageState.RELEASED: AdapterExample.State.SHOWN,
    ImageState.HELD: AdapterExample.State.HELD,
    ImageState.WITHHELD: AdapterExample.State.WITHHELD,
}


def connect() -> None:
    """Once, when every application is loaded: a review that needs examples has them rendered."""
    examples_wanted.connect(render, dispatch_uid="generation.render_examples")


def render(*, adapter: Adapter, examples: Sequence[AdapterExample], at: datetime, **_: Any) -> None:
    """Ask for the pictures of `examples`, each with the adapter at its full weight."""
    assert adapter.owner is not None, "an owner asked"
    for example in examples:
        wanted = _resolved(adapter, example)
        request = creation.create(
            wanted,
            caller=Caller(adapter.owner, adapter.project or personal.project_of(adapter.owner)),
            priority=priority_classes.PRIORITIES["batch"],
            predicted_ms=estimates.cost_ms(
                wanted.model, steps=wanted.steps, guidance=wanted.guidance
            ),
            at=at,
        )
        example.send(request.id)


def _resolved(adapter: Adapter, example: AdapterExample) -> ResolvedRequest:
    """As the model does it when nothing is said; the adapter need not be offered to anybody yet."""
    model = adapter.base_model
    assert model is not None, "an accepted adapter has a model"
    return ResolvedRequest(
        parameters=RequestParameters(prompt=example.prompt, seed=example.seed),
        model=model,
        size=model.default_size,
        steps=model.default_steps,
        guidance=model.default_guidance,
        adapters=[(adapter, 1.0)],
        source=None,
        label=label_choices.chosen(None, None),
    )


def collect() -> None:
    """Hand in what has ended since the last time."""
    waiting = AdapterExample.objects.filter(
        state=AdapterExample.State.WAITING, request_id__isnull=False
    )
    for example in waiting:
        assert example.request_id is not None, "those alone were asked for"
        with transaction.atomic():
            request = GenerationRequest.objects.filter(id=example.request_id).first()
            if request is None or not request.is_active:
                examples.hand_in(example.id, _result(request))


def _result(request: GenerationRequest | None) -> ExamplePicture | ExampleMissing:
    """The image's row is locked, so that a decision about it comes before or after, never amid."""
    if request is None or request.status != RequestStatus.FINISHED:
        return ExampleMissing((request.code or request.status) if request else "deleted")
    images = GeneratedImage.objects.select_for_update()
    image = images.filter(request=request, deleted_at__isnull=True).first()
    if image is None:
        return ExampleMissing("deleted")
    with image.file.open("rb") as file:
        png = file.read()
    return ExamplePicture(image.id, png, STATES[ImageState(image.state)], image.code)
