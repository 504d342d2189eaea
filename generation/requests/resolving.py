"""From what somebody asked for to what will be made: names become rows, gaps become defaults."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser

from adapters.access import visibility
from adapters.models import Adapter, BaseModel, Family
from config.core.ttl_cache import remembered
from generation.conditions import wanted_images
from generation.request_rules.parameters import (
    GuidanceNotRescaled,
    RequestParameters,
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
    source: wanted_images.WantedInitImage | None
    label: VisibleLabel | None

    @property
    def taken_steps(self) -> int:
        return taken_steps(self.steps, self.source.strength if self.source else None)


def resolve(
    parameters: RequestParameters, *, by: AbstractBaseUser, is_live: bool = False
) -> ResolvedRequest:
    """Raises the named errors of `request_rules.parameters`, `adapters.access.visibility` and
    `conditions.wanted_images`."""
    checked = check(parameters)
    model = _find_model(checked.model)
    if checked.guidance_rescale and not Family(model.family).rescales_guidance:
        raise GuidanceNotRescaled
    size = model.delivered_size(checked.width, checked.height)
    # A live one is no more than twice what the model draws: what is seen larger, the browser
    # enlarges as well, and marking and screening wait for fewer pixels.
    times = max(1, model.upscale // LIVE_UPSCALE) if is_live else 1
    wanted = ResolvedRequest(
        parameters=checked,
        model=model,
        size=(size[0] // times, size[1] // times),
        steps=model.default_steps if checked.steps is None else checked.steps,
        guidance=model.default_guidance if checked.guidance is None else checked.guidance,
        adapters=[
            (visibility.find_adapter(slug, by=by, base_model=model), weight)
            for slug, weight in checked.adapters
        ],
        source=wanted_images.resolve(checked, by=by, size=size),
        label=label_choices.chosen(checked.visible_label, checked.visible_label_text),
    )
    if wanted.taken_steps < 1:
        raise StrengthTooLow
    return wanted
