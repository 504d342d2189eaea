"""Painting a picture anew in part: as diffusers does, in any batch, and the rest is not touched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.engine.families import padded_text
from generation.engine.jobs import AdapterUse, Fill, Inpainting, RenderJob, Source
from generation.engine.loading.loaded_model import LoadedModel, Settings, assemble
from generation.engine.loop.canvas import CanvasWindow, window_of
from generation.engine.loop.engine import Engine
from tests.engine.rendering import SIDE, assert_same, by_diffusers, denoise, job, pipeline
from tests.engine.test_from_a_picture import from_picture, picture

FAMILIES = ["sd", "starter", "sdxl", "flux", "sd3", "z-image"]
Mask = NDArray[np.uint8]
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]


def hole(side: int = SIDE) -> Mask:
    """White in one corner, along the latents' own borders."""
    mask = np.zeros((side, side), np.uint8)
    mask[: side // 2, : side // 2] = 255
    return mask


def slope(side: int = SIDE) -> Mask:
    """From black to white, in steps that are the latents' own."""
    shades = np.repeat(np.linspace(0, 255, 8).round().astype(np.uint8), side // 8)
    return np.tile(shades, (side, 1))


def painted(
    prompt: str = "a red kite",
    *,
    mask: Mask | None = None,
    strength: float = 0.75,
    fill: Fill = "original",
    padding: int | None = None,
    seed_of_picture: int = 0,
    **changes: Any,
) -> RenderJob:
    inpainting = Inpainting(hole() if mask is None else mask, fill, padding)
    shown = picture(seed=seed_of_picture)
    return job(prompt, source=Source(shown, strength, inpainting), **changes)


def by_hand(model: LoadedModel, request: RenderJob) -> Tensor:
    """Differential diffusion as its paper has it, for one picture, by the stock scheduler: a place
    follows the noised picture until its share of the mask is reached."""
    source = request.source
    assert source is not None
    assert source.inpainting is not None
    pipe, family = model.pipe, model.family
    size, generator = (SIDE, SIDE), torch.Generator().manual_seed(request.seed)
    shown = torch.from_numpy(source.pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    kept = family.from_vae(pipe, shown, generator)
    noise = family.noise(pipe, size, generator)
    mask = torch.from_numpy(source.inpainting.mask.astype(np.float32) / 255)[None, None]
    change = family.change(pipe, mask, size)
    rows = padded_text.fitted(family.encode(pipe, [request.prompt]))
    rows |= family.extras(pipe, size, request.guidance)
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    scheduler.set_timesteps(**family.timesteps(pipe, request.steps, noise))
    first = family.skipped(request.steps, source.strength)
    times = scheduler.timesteps[first:]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)
    noised = getattr(scheduler, "scale_noise", None) or (
        lambda x, t, n: scheduler.add_noise(x, n, t)
    )
    latents: Tensor = noised(kept, times[:1], noise)
    for step, time in enumerate(times):
        scaled = latents
        if hasattr(scheduler, "scale_model_input"):
            scaled = scheduler.scale_model_input(latents, time)
        said = family.call(
            getattr(pipe, family.network), scaled, time[None], rows, family.shared(pipe, size)
        )
        latents = scheduler.step(said, time, latents, generator=generator, return_dict=False)[0]
        if step + 1 < len(times):
            stays = noised(kept, times[step + 1 : step + 2], noise)
            latents = torch.where(change >= 1 - (step + 1) / len(times), latents, stays)
        else:
            latents = torch.where(change > 0, latents, kept)
    return latents


@pytest.mark.parametrize("family", ["sd", "sdxl", "flux"])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_mask_is_painted_as_by_diffusers_own_pipeline(
    family: str,
    strength: float,
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
) -> None:
    request = painted(strength=strength, steps=6)
    (ours,) = denoise(load(family), [request])
    assert_same(ours.latents, by_diffusers(folders(family), request))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("mask", [hole(), slope()], ids=["hole", "slope"])
def test_a_mask_is_painted_as_by_hand(
    family: str, mask: Mask, load: Callable[..., LoadedModel]
) -> None:
    model = load(family)
    request = painted(mask=mask, steps=6, guidance=0.0)
    (ours,) = denoise(model, [request])
    with torch.inference_mode():
        assert_same(ours.latents, by_hand(model, request))


@pytest.mark.parametrize(
    "scheduler",
    [
        "DDIMScheduler",
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "DPMSolverMultistepScheduler",
        "LCMScheduler",
    ],
)
def test_every_scheduler_puts_back_what_it_would_have_there(
    scheduler: str, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    pipe = pipeline(folders("sd"))
    kind = getattr(diffusers, scheduler)
    pipe.scheduler = kind.from_config(pipe.scheduler.config, clip_sample=False)
    pipe.save_pretrained(tmp_path)
    model = assemble(pipeline(tmp_path), Settings())
    request = painted(mask=slope(), strength=0.6, steps=8, guidance=1.0)
    (ours,) = denoise(model, [request])
    with torch.inference_mode():
        assert_same(ours.latents, by_hand(model, request))


@pytest.mark.parametrize("family", FAMILIES)
def test_painted_rows_are_the_same_among_strangers_and_alone(
    family: str, load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model, style = load(family), adapter(family)
    requests = [
        painted("a cat", strength=0.5, steps=6, guidance=1.0, seed=1),
        job("an owl, from noise", steps=4, seed=4),
        painted("a dog", mask=slope(), steps=5, seed=2, seed_of_picture=3, adapters=(style,)),
        from_picture("a fox", strength=1.0, steps=3, seed=3),
        painted("a hen", strength=1.0, steps=3, fill="noise", padding=2),
    ]
    together = denoise(model, requests)
    for request, batched in zip(requests, together, strict=True):
        (alone,) = denoise(model, [request])
        assert_same(batched.latents, alone.latents)
    plain = denoise(model, [requests[1], requests[3]])
    for batched, beside in zip((together[1], together[3]), plain, strict=True):
        assert_same(batched.latents, beside.latents)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("delivered", [SIDE, 3 * SIDE])
@pytest.mark.parametrize("padding", [None, 4])
def test_what_is_not_masked_stays_bit_for_bit(
    family: str,
    delivered: int,
    padding: int | None,
    load: Callable[..., LoadedModel],
    engines: Callable[[LoadedModel], Engine],
) -> None:
    shown, mask = picture(delivered, delivered), np.zeros((delivered, delivered), np.uint8)
    mask[5:14, 7:21] = 255
    mask[14:16, 7:21] = 100
    inpainting = Inpainting(mask, padding=padding)
    request = job(width=delivered, height=delivered, source=Source(shown, 1.0, inpainting))
    engine = engines(load(family))
    made = engine.render(request, on_step=lambda _: None, should_stop=lambda: False).pixels
    assert np.array_equal(made[mask == 0], shown[mask == 0])
    assert (made[mask == 255] != shown[mask == 255]).mean() > 0.9


@pytest.mark.parametrize("fill", ["original", "surroundings", "noise", "nothing"])
def test_what_lies_under_the_mask_is_what_was_asked_for(
    fill: Fill, load: Callable[..., LoadedModel]
) -> None:
    """Two pictures that differ under the mask alone are one, but for `original`."""
    model, one, other = load("sd"), picture(), picture()
    other[: SIDE // 2, : SIDE // 2] = 255 - other[: SIDE // 2, : SIDE // 2]
    far = np.zeros((SIDE, SIDE), np.uint8)
    far[: SIDE // 2 - 8, : SIDE // 2 - 8] = 255  # the VAE sees past a latent's own pixels
    made = [
        denoise(model, [job(source=Source(shown, 0.5, Inpainting(mask, fill)), guidance=1.0)])[0]
        for shown, mask in ((one, hole()), (other, hole()))
    ]
    under = made[0].painting.change > 0  # type: ignore[union-attr] # both have one
    differ = (made[0].latents - made[1].latents).abs() * under
    assert (float(differ.max()) > 0.05) is (fill == "original")


def test_a_window_has_the_pictures_shape_and_holds_the_mask() -> None:
    mask = np.zeros((60, 90), np.uint8)
    mask[50:58, 80:84] = 255
    assert window_of(mask, padding=0) == CanvasWindow(76, 50, 88, 58)
    assert window_of(mask, padding=4) == CanvasWindow(69, 46, 90, 60)
    assert window_of(np.zeros((60, 90), np.uint8), padding=0) == CanvasWindow(0, 0, 90, 60)
    mask[:] = 1
    assert window_of(mask, padding=9) == CanvasWindow(0, 0, 90, 60)


def test_a_mask_of_another_shape_is_cropped_as_its_picture(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    shown = picture(SIDE, 2 * SIDE)
    mask = np.zeros((SIDE, 2 * SIDE), np.uint8)
    mask[:, : SIDE // 2 + 8] = 255
    request = job(source=Source(shown, 1.0, Inpainting(mask)))
    engine = engines(load("sd"))
    made = engine.render(request, on_step=lambda _: None, should_stop=lambda: False).pixels
    middle = shown[:, SIDE // 2 : SIDE // 2 + SIDE]
    assert np.array_equal(made[:, 8:], middle[:, 8:])
    assert (made[:, :8] != middle[:, :8]).mean() > 0.9
