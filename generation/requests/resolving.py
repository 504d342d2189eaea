"""From what somebody asked for to what will be made: names become rows, gaps become defaults."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser

from adapters.access import visibility
from adapters.models import Adapter, BaseModel
from config.core.ttl_cache import remembered
from generation.conditions import init_images
from generation.request_rules.parameters import (
    RequestParameters,
    SizeNotOffered,
    StrengthTooLow,
    check,
    taken_steps,
)
from provenance.assets import label_choices
from provenance.marks.visible_label import VisibleLabel

LIVE_UPSCALE = 2
_find_model = remembered(visibility.find_model)


@dataclass(frozen=True, slots=True)
class ResolvedRequest:
    """Checked parameters with everything that they left to the model filled in."""

    parameters: RequestParameters
    model: BaseModel
    size: tuple[int, int]
    steps: int
    guidance: float
    adapters: list[tuple[Adapter, float]]
    source: init_images.WantedInitImage | None
    label: VisibleLabel | None

    @property
    def taken_steps(self) -> int:
        return taken_steps(self.steps, self.source.strength if self.source else None)


def resolve(
    parameters: RequestParameters, *, by: AbstractBaseUser, is_live: bool = False
) -> ResolvedRequest:
    """Raises the named errors of `request_rules.parameters`, `adapters.access.visibility` and
    `conditions.init_images`."""
    checked = check(parameters)
    model = _find_model(checked.model)
    size = _size(checked, model)
    wanted = ResolvedRequest(
        parameters=checked,
        model=model,
        size=_live_size(size, model) if is_live else size,
        steps=model.default_steps if checked.steps is None else checked.steps,
        guidance=model.default_guidance if checked.guidance is None else checked.guidance,
        adapters=[
            (visibility.find_adapter(slug, by=by, base_model=model), weight)
            for slug, weight in checked.adapters
        ],
        source=init_images.resolve(checked, by=by, size=size),
        label=label_choices.chosen(checked.visible_label, checked.visible_label_text),
    )
    if wanted.taken_steps < 1:
        raise StrengthTooLow
    return wanted


def _size(parameters: RequestParameters, model: BaseModel) -> tuple[int, int]:
    width, height = model.default_size
    width = width if parameters.width is None else parameters.width
    height = height if parameters.height is None else parameters.height
    if not model.can_deliver(width, height):
        offered = ", ".join(f"{w}×{h}" for w, h in model.sizes)
        raise SizeNotOffered(
            message=f"{model.name} cannot make images of {width}×{height} pixels.",
            advice=f"Choose one of: {offered}.",
        )
    return width, height


def _live_size(size: tuple[int, int], model: BaseModel) -> tuple[int, int]:
    """No more than twice what the model draws: what is seen larger, the browser enlarges as well,
    and marking and screening wait for fewer pixels."""
    times = max(1, model.upscale // LIVE_UPSCALE)
    return size[0] // times, size[1] // times
