"""What a person asks for, cleaned and checked before anything is stored. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from config.core.errors import ProofsheetError
from moderation.policy.rulebook.characters import visible

MaskFill = Literal["original", "surroundings", "noise", "nothing"]
PROMPT_MAX_CHARACTERS = 2000
STEPS_RANGE = (1, 100)
GUIDANCE_RANGE = (0.0, 20.0)
RESCALE_RANGE = (0.0, 1.0)
WEIGHT_RANGE = (-2.0, 2.0)
STRENGTH_RANGE, USUAL_STRENGTH = (0.05, 1.0), 0.6
MASK_BLUR_RANGE, MASK_PADDING_RANGE = (0.0, 64.0), (0, 1024)
MASK_FILLS: tuple[MaskFill, ...] = ("original", "surroundings", "noise", "nothing")
SEED_MAX = 2**32 - 1
ADAPTERS_MAX = 4
COUNT_RANGE = (1, 4)


class PromptEmpty(ProofsheetError):
    default_code = "prompt_empty"
    default_status = 422
    default_message = "The prompt is empty."
    default_advice = "Write a few words of what the picture should show."


class PromptTooLong(ProofsheetError):
    default_code = "prompt_too_long"
    default_status = 422
    default_message = f"The prompt is longer than {PROMPT_MAX_CHARACTERS} characters."
    default_advice = "Shorten it; the model reads only the first few dozen words anyway."


class StepsOutOfRange(ProofsheetError):
    default_code = "steps_out_of_range"
    default_status = 422
    default_message = "The number of steps is out of range."
    default_advice = "Choose a whole number from {} to {}.".format(*STEPS_RANGE)


class GuidanceOutOfRange(ProofsheetError):
    default_code = "guidance_out_of_range"
    default_status = 422
    default_message = "The guidance is out of range."
    default_advice = "Choose a number from {:g} to {:g}.".format(*GUIDANCE_RANGE)


class GuidanceRescaleOutOfRange(ProofsheetError):
    default_code = "guidance_rescale_out_of_range"
    default_status = 422
    default_message = "The share of rescaled guidance is out of range."
    default_advice = "Choose a number from {:g} to {:g}.".format(*RESCALE_RANGE)


class GuidanceNotRescaled(ProofsheetError):
    default_code = "guidance_not_rescaled"
    default_status = 422
    default_message = "The model's guidance cannot be rescaled."
    default_advice = "Leave guidance_rescale out, or choose a Stable Diffusion 1, 2 or XL model."


class SeedOutOfRange(ProofsheetError):
    default_code = "seed_out_of_range"
    default_status = 422
    default_message = "The seed is out of range."
    default_advice = f"Choose a whole number from 0 to {SEED_MAX}, or leave it empty."


class CountOutOfRange(ProofsheetError):
    default_code = "count_out_of_range"
    default_status = 422
    default_message = "A request makes one to four images."
    default_advice = "Choose a whole number from {} to {}.".format(*COUNT_RANGE)


class AdapterWeightOutOfRange(ProofsheetError):
    default_code = "adapter_weight_out_of_range"
    default_status = 422
    default_message = "The weight of an adapter is out of range."
    default_advice = "Choose a number from {:g} to {:g}; 0 leaves it out.".format(*WEIGHT_RANGE)


class TooManyAdapters(ProofsheetError):
    default_code = "too_many_adapters"
    default_status = 422
    default_message = f"A request takes at most {ADAPTERS_MAX} adapters."
    default_advice = "Leave some of them out."


class AdapterTwice(ProofsheetError):
    default_code = "adapter_twice"
    default_status = 422
    default_message = "One of the adapters is named twice."
    default_advice = "Name each once, with the weight that you mean."


class StrengthOutOfRange(ProofsheetError):
    default_code = "strength_out_of_range"
    default_status = 422
    default_message = "The strength is out of range."
    default_advice = "Choose a number from {:g} to {:g}.".format(*STRENGTH_RANGE)


class StrengthTooLow(ProofsheetError):
    default_code = "strength_too_low"
    default_status = 422
    default_message = "At that strength no step would be left to take."
    default_advice = "Raise the strength, or take more steps."


class StrengthWithoutSource(ProofsheetError):
    default_code = "strength_without_source"
    default_status = 422
    default_message = "A strength says how far to depart from a picture, and there is none."
    default_advice = "Name a picture to start from, or leave the strength out."


class TwoSources(ProofsheetError):
    default_code = "two_sources"
    default_status = 422
    default_message = "A request starts from one picture: an upload or an image of your own."
    default_advice = "Leave one of them out."


class MaskWithoutSource(ProofsheetError):
    default_code = "mask_without_source"
    default_status = 422
    default_message = "A mask says what of a picture is painted anew, and there is none."
    default_advice = "Name a picture to start from, or leave the mask out."


class MaskBlurOutOfRange(ProofsheetError):
    default_code = "mask_blur_out_of_range"
    default_status = 422
    default_message = "The blur of the mask is out of range."
    default_advice = "Choose a number of pixels from {:g} to {:g}.".format(*MASK_BLUR_RANGE)


class MaskPaddingOutOfRange(ProofsheetError):
    default_code = "mask_padding_out_of_range"
    default_status = 422
    default_message = "The padding of the mask is out of range."
    default_advice = "Choose a whole number of pixels from {} to {}.".format(*MASK_PADDING_RANGE)


class SourceGone(ProofsheetError):
    default_code = "source_gone"
    default_status = 409
    default_message = "The picture to start from is no longer there, or no longer released."
    default_advice = "Choose another one and ask again."


class SourceNotScreened(ProofsheetError):
    default_code = "source_not_screened"
    default_message = "The picture to start from has not passed the screening."
    default_advice = "Nothing is made from a picture that was not screened; ask again."


ResizeMode = Literal["crop", "stretch", "fill"]  # of a picture that has another shape
RESIZE_MODES: tuple[ResizeMode, ...] = ("crop", "stretch", "fill")


@dataclass(frozen=True, slots=True)
class SentMask:
    """A mask as it was sent: `data` is a file of its picture's size. What is `white` in it or what
    is `transparent` is painted anew; `webui`'s takes an alpha that is not opaque for white.

    `blur` in pixels softens its border. `fill` is what is under it at first. With `padding` only
    its surroundings are drawn, and as large as the model draws.
    """

    data: bytes = field(repr=False)
    anew: Literal["white", "transparent", "webui"] = "white"
    is_inverted: bool = False
    blur: float = 0.0
    fill: MaskFill = "original"
    padding: int | None = None


@dataclass(frozen=True, slots=True)
class RequestParameters:
    """A request as a person wrote it. None means the model's own default (a random seed).

    It starts from `picture`, the bytes of an upload, or from the image with the id `source_image`;
    `strength`, `mask` and `resize_mode` play a part only then. `visible_label` is a corner, or
    `none`.
    """

    prompt: str
    negative_prompt: str = ""
    model: str | None = None
    steps: int | None = None
    guidance: float | None = None
    guidance_rescale: float = 0.0
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    adapters: tuple[tuple[str, float], ...] = ()
    tier: str = "standard"
    count: int = 1
    source_image: str | None = None
    picture: bytes | None = field(default=None, repr=False)
    strength: float | None = None
    mask: SentMask | None = None
    resize_mode: ResizeMode = "crop"
    visible_label: str | None = None
    visible_label_text: str | None = None

    def sha256(self) -> str:
        said = asdict(self)
        if said["mask"] is None:
            del said["mask"]  # as calls were remembered before there were masks
        if said["resize_mode"] == "crop":
            del said["resize_mode"]  # likewise
        if said["guidance_rescale"] == 0:
            del said["guidance_rescale"]
        body = json.dumps(said, sort_keys=True, ensure_ascii=True, default=_digest)
        return hashlib.sha256(body.encode()).hexdigest()


def check(parameters: RequestParameters) -> RequestParameters:
    """The parameters with clean text, or the named error of the first thing that is wrong."""
    if max(len(parameters.prompt), len(parameters.negative_prompt)) > PROMPT_MAX_CHARACTERS:
        raise PromptTooLong
    prompt, unwanted = visible(parameters.prompt), visible(parameters.negative_prompt)
    if not prompt:
        raise PromptEmpty
    if parameters.steps is not None and not _within(parameters.steps, STEPS_RANGE):
        raise StepsOutOfRange
    if parameters.guidance is not None and not _within(parameters.guidance, GUIDANCE_RANGE):
        raise GuidanceOutOfRange
    if not _within(parameters.guidance_rescale, RESCALE_RANGE):
        raise GuidanceRescaleOutOfRange
    if parameters.seed is not None and not 0 <= parameters.seed <= SEED_MAX:
        raise SeedOutOfRange
    if not _within(parameters.count, COUNT_RANGE):
        raise CountOutOfRange
    _check_adapters(parameters.adapters)
    return replace(
        parameters,
        prompt=prompt,
        negative_prompt=unwanted,
        strength=_strength(parameters),
    )


def _digest(data: bytes) -> str | None:
    return hashlib.sha256(data).hexdigest() if data else None


def taken_steps(steps: int, strength: float | None) -> int:
    """How many of the steps are taken when a picture is started from; all from noise."""
    return steps if strength is None else int(steps * strength)


def _strength(parameters: RequestParameters) -> float | None:
    if parameters.picture is None and parameters.source_image is None:
        if parameters.mask is not None:
            raise MaskWithoutSource
        if parameters.strength is not None:
            raise StrengthWithoutSource
        return None
    if parameters.picture is not None and parameters.source_image is not None:
        raise TwoSources
    if parameters.mask is not None:
        _check_mask(parameters.mask)
    usual = USUAL_STRENGTH if parameters.mask is None else STRENGTH_RANGE[1]
    strength = usual if parameters.strength is None else parameters.strength
    if not _within(strength, STRENGTH_RANGE):
        raise StrengthOutOfRange
    return strength


def _check_mask(mask: SentMask) -> None:
    if not _within(mask.blur, MASK_BLUR_RANGE):
        raise MaskBlurOutOfRange
    if mask.padding is not None and not _within(mask.padding, MASK_PADDING_RANGE):
        raise MaskPaddingOutOfRange


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return math.isfinite(value) and bounds[0] <= value <= bounds[1]


def _check_adapters(adapters: tuple[tuple[str, float], ...]) -> None:
    if len(adapters) > ADAPTERS_MAX:
        raise TooManyAdapters
    if len({slug for slug, _ in adapters}) < len(adapters):
        raise AdapterTwice
    if not all(_within(weight, WEIGHT_RANGE) for _, weight in adapters):
        raise AdapterWeightOutOfRange
