"""Starting from a picture: the engine draws what diffusers' image-to-image pipelines draw."""

from collections.abc import Callable
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generation.engine.jobs import (
    AdapterUse,
    OutOfMemory,
    RenderJob,
    Source,
    StepReport,
    StepsNotSupported,
)
from generation.engine.loading.loaded_model import LoadedModel, Settings, assemble
from generation.engine.loop import pixels
from generation.engine.loop.engine import Engine
from tests.engine.rendering import SIDE, assert_same, by_diffusers, denoise, job, pipeline

FAMILIES = ["sd", "starter", "sdxl", "flux", "sd3", "z-image"]
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]


def picture(height: int = SIDE, width: int = SIDE, *, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def from_picture(prompt: str = "a red kite", *, strength: float, **changes: object) -> RenderJob:
    return job(prompt, source=Source(picture(), strength), **changes)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_the_same_batched_with_strangers_alone_and_by_diffusers(
    family: str,
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
    adapter: Callable[..., AdapterUse],
) -> None:
    model, style = load(family), adapter(family)
    requests = [
        from_picture("a cat", strength=0.5, steps=6, guidance=1.0, seed=1),
        from_picture("a dog", strength=0.75, steps=5, guidance=4.0, seed=2),
        from_picture("a fox", strength=1.0, steps=3, seed=3, adapters=(style,)),
        job("an owl, from noise", steps=4, seed=4),
    ]
    for request, batched in zip(requests, denoise(model, requests), strict=True):
        (alone,) = denoise(model, [request])
        theirs = by_diffusers(folders(family), request)
        assert_same(batched.latents, alone.latents)
        assert_same(alone.latents, theirs)


@pytest.mark.parametrize(
    "scheduler",
    [
        "DDIMScheduler",
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "DPMSolverMultistepScheduler",
    ],
)
def test_every_scheduler_starts_where_diffusers_starts_it(
    scheduler: str, folders: Callable[[str], Path], tmp_path: Path
) -> None:
    pipe = pipeline(folders("sd"))
    kind = getattr(diffusers, scheduler)
    pipe.scheduler = kind.from_config(pipe.scheduler.config, clip_sample=False)
    pipe.save_pretrained(tmp_path)
    request = from_picture(strength=0.6, steps=8)
    (ours,) = denoise(assemble(pipeline(tmp_path), Settings()), [request])
    theirs = by_diffusers(tmp_path, request)
    assert_same(ours.latents, theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_less_strength_the_closer_it_stays(
    family: str, load: Callable[..., LoadedModel]
) -> None:
    model = load(family)
    requests = [from_picture(strength=s, steps=10, guidance=1.0) for s in (0.2, 0.6, 1.0)]
    with torch.inference_mode():
        tensor = pixels.fitted(picture(), (SIDE, SIDE))
        kept = model.family.from_vae(model.pipe, tensor, torch.Generator().manual_seed(7))
    distances = [float((made.latents - kept).abs().mean()) for made in denoise(model, requests)]
    assert distances[0] < distances[1] < distances[2]


def test_steps_that_are_taken_are_those_that_are_told(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    reports: list[StepReport] = []
    engines(load("sd")).render(
        from_picture(strength=0.5, steps=6), on_step=reports.append, should_stop=lambda: False
    )
    assert {report.total for report in reports} == {3}
    assert max(report.step for report in reports) == 3


def test_strength_that_leaves_no_step_is_that_request_alone_failing(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    engine = engines(load("sd"))
    bad = engine.submit(from_picture(strength=0.1, steps=4))
    good = engine.submit(from_picture(strength=0.5, steps=4))
    with pytest.raises(StepsNotSupported):
        bad.future.result(timeout=60)
    assert good.future.result(timeout=60).pixels.shape == (SIDE, SIDE, 3)


def test_too_little_memory_to_encode_the_picture_fails_that_request_alone(
    load: Callable[..., LoadedModel],
    engines: Callable[[LoadedModel], Engine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def burst(*_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    model = load("sd")
    monkeypatch.setattr(model.pipe.vae, "encode", burst)
    engine = engines(model)
    bad, good = engine.submit(from_picture(strength=0.5)), engine.submit(job())
    with pytest.raises(OutOfMemory):
        bad.future.result(timeout=60)
    assert good.future.result(timeout=60).pixels.shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(("height", "width"), [(SIDE, SIDE), (48, 160), (200, 40)])
def test_a_picture_of_another_shape_is_cropped_about_its_middle(height: int, width: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4] = 255
    fitted = pixels.fitted(image, (SIDE, SIDE))
    assert fitted.shape == (1, 3, SIDE, SIDE)
    assert float(fitted[0, 0, SIDE // 2, SIDE // 2]) > 0.9
    assert float(fitted[0, 0, 0, 0]) < -0.9
