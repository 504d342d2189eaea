"""What the engine is asked for and what it answers. No torch here, so anyone may import it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from config.core.errors import ProofsheetError


class Cancelled(Exception):
    """`should_stop` said so between two steps; nothing was rendered."""


class Unchanged(Exception):
    """The picture would look like that of the job's `shown_prompt`; nothing was rendered."""


class NotFinite(ProofsheetError):
    default_code = "not_finite"
    default_message = "The model produced numbers that are no picture (NaN or infinity)."
    default_advice = "Lower the adapter weights or the guidance and try again."


class AdapterNotLoadable(ProofsheetError):
    default_code = "adapter_not_loadable"
    default_message = "An adapter does not fit the loaded model."
    default_advice = "Leave it out, or upload a version made for this model."


class RankTooHigh(AdapterNotLoadable):
    default_code = "rank_too_high"
    default_message = "The adapter's rank is above what the model was loaded for."
    default_advice = "Train or convert it with a lower rank."


class ModelNotLoadable(ProofsheetError):
    default_code = "model_not_loadable"
    default_status = 503
    default_message = "The model's folder cannot be loaded."
    default_advice = "Tell the operator; the worker's log says why."


class ModelTooLarge(ModelNotLoadable):
    """Its figures, and those of a smaller variant where one fits, are in the message."""

    default_code = "model_too_large"
    default_message = "The model does not fit the memory of the device."


class Fp8NotPossible(ModelNotLoadable):
    default_code = "fp8_not_possible"
    default_message = "The model cannot be served with FP8 weights here."


class StepsNotSupported(ProofsheetError):
    default_code = "steps_out_of_range"
    default_message = "The number of steps is not one that the model's schedule can take."
    default_advice = "Ask for at least 1 step, and for no more than the form allows."


class DeadlinePassed(ProofsheetError):
    default_code = "deadline_passed"
    default_status = 503
    default_message = "The image was not ready when its time was up."
    default_advice = "Try again with fewer steps, or at a quieter time."


class OutOfMemory(ProofsheetError):
    default_code = "out_of_memory"
    default_status = 503
    default_message = "The device has too little memory for this image, even alone."
    default_advice = "Ask for a smaller size, or tell the operator."


class MoreAdaptersThanSlots(ProofsheetError):
    default_code = "too_many_adapters"
    default_message = "The request names more adapters than the model has slots."
    default_advice = "Leave some out."


@dataclass(frozen=True, slots=True)
class AdapterUse:
    """One adapter of a job. `name` is unique to the file's content; weight 0 leaves it out."""

    name: str
    path: Path
    weight: float


Fill = Literal["original", "surroundings", "noise", "nothing"]


@dataclass(frozen=True, slots=True, eq=False)
class Inpainting:
    """Which part of a source is painted anew.

    `mask` is uint8 [H, W] of the source's own size: 255 where everything is, 0 where nothing
    changes, and what is between them joins later the darker it is (differential diffusion, arXiv
    2306.00950). `fill` is what lies under it at first. With a `padding` only the mask's
    surroundings, so many delivered pixels about it, are drawn, as large as the model draws.
    """

    mask: NDArray[np.uint8]
    fill: Fill = "original"
    padding: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The picture to start from: `pixels` uint8 [H, W, 3] RGB of any size. `strength` in (0, 1] is
    the share of the steps that are taken: at 1 next to nothing of it is left, and nothing at all of
    what an `inpainting` paints anew."""

    pixels: NDArray[np.uint8]
    strength: float
    inpainting: Inpainting | None = None


@dataclass(frozen=True, slots=True)
class RenderJob:
    """`width` and `height` are the delivered size in pixels, `native_size` the VAE's shorter side.

    A `source` is cropped about its centre to the delivered shape. An interactive job's steps are
    due sooner. `timeout_s` counts from the submission. `shown_prompt` is that of a picture from
    which this one would differ in nothing but the prompt: one that would look like it ends the job
    with Unchanged. `guidance_rescale` in [0, 1] is how much of a guided prediction has the spread
    of the prompt's own (arXiv 2305.08891), where the family can do so.
    """

    prompt: str
    negative_prompt: str
    steps: int
    guidance: float
    seed: int
    width: int
    height: int
    native_size: int
    adapters: tuple[AdapterUse, ...] = ()
    is_interactive: bool = False
    timeout_s: float | None = None
    source: Source | None = None
    shown_prompt: str | None = None
    guidance_rescale: float = 0.0


@dataclass(frozen=True, slots=True)
class StepReport:
    """After `step` of `total` steps. `preview` is a small WebP now and then, else None."""

    step: int
    total: int
    preview: bytes | None


@dataclass(frozen=True, slots=True)
class Rendered:
    """`pixels` are uint8 [height, width, 3] RGB; `timings` milliseconds by stage, the device's
    shared out among the images that it served at once (`underway_ms` is what the caller saw).

    `dropped_tokens` is how many tokens of the prompt the text encoder could not read,
    `dropped_negative_tokens` of the negative one. `has_parts` says whether the model reads a prompt
    in parts, `has_weights` whether it weighs the words.
    """

    pixels: NDArray[np.uint8]
    timings: dict[str, float]
    dropped_tokens: int
    dropped_negative_tokens: int
    library_versions: dict[str, str]
    has_parts: bool = True
    has_weights: bool = True


OnStep = Callable[[StepReport], None]
ShouldStop = Callable[[], bool]
