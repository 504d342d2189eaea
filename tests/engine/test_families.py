"""The same picture three ways: in a batch of strangers, alone, and by diffusers' own pipeline."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adapters.base_models import registration
from adapters.base_models.architecture import layers_of_folder
from adapters.formats.target_modules import Layout
from adapters.models import Family
from generation.engine.families import registry, unet
from generation.engine.jobs import AdapterUse, ModelNotLoadable, RenderJob
from generation.engine.loading.loaded_model import LoadedModel, Settings, assemble
from generation.engine.loop import pixels
from generation.engine.loop.engine import Engine
from tests.engine.rendering import assert_same, by_diffusers, denoise, job, pipeline

FAMILIES = ["sd", "starter", "sdxl", "sdxl-v", "flux", "sd3", "z-image"]
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]


@pytest.fixture
def requests_of(adapter: Callable[..., AdapterUse]) -> Callable[[str], list[RenderJob]]:
    """Different prompts, steps, guidance, seeds and adapters; one of each kind."""

    def make(family: str) -> list[RenderJob]:
        style = adapter(family, seed=1)
        words = adapter(family, seed=2, rank=3, alpha=6, has_text=True, weight=0.6)
        return [
            job("a cat", steps=3, guidance=1.0, seed=1),
            job("a dog", steps=6, guidance=5.0, seed=2, negative_prompt="grey"),
            job("a fox", steps=4, guidance=4.0, seed=3, adapters=(style,)),
            job("an owl", steps=5, guidance=1.0, seed=4, adapters=(words,)),
            job("an elk", steps=3, guidance=7.5, seed=5, adapters=(style, words)),
        ]

    return make


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_the_same_batched_alone_and_by_diffusers(
    family: str,
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
    requests_of: Callable[[str], list[RenderJob]],
) -> None:
    model, requests = load(family), requests_of(family)
    for request, batched in zip(requests, denoise(model, requests), strict=True):
        (alone,) = denoise(model, [request])
        theirs = by_diffusers(folders(family), request)
        assert_same(batched.latents, alone.latents)
        assert_same(alone.latents, theirs, first=alone.schedule.noise_scale)


@pytest.mark.parametrize("family", FAMILIES)
def test_latents_decode_to_the_pixels_of_diffusers(
    family: str, load: Callable[..., LoadedModel], folders: Callable[[str], Path]
) -> None:
    model = load(family)
    (made,) = denoise(model, [job()])
    with torch.inference_mode():
        (ours,) = pixels.decode(model, [made.latents], made.size)
    theirs = by_diffusers(folders(family), job(), output="np")[0]
    assert ours is not None
    np.testing.assert_allclose(ours / 255, theirs, atol=1.01 / 255)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_adapter_changes_the_picture_and_weight_scales_the_change(
    family: str, load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model = load(family)
    style = adapter(family)
    bare, half, full = denoise(
        model,
        [
            job(),
            job(adapters=(AdapterUse(style.name, style.path, 0.5),)),
            job(adapters=(style,)),
        ],
    )
    small = (half.latents - bare.latents).abs().mean()
    large = (full.latents - bare.latents).abs().mean()
    assert 0.01 < small < large


@pytest.mark.parametrize("family", FAMILIES)
def test_an_upload_may_change_the_layers_that_have_slots_and_no_others(
    family: str, load: Callable[..., LoadedModel], folders: Callable[[str], Path]
) -> None:
    loras = load(family).loras
    layout = Layout.of(family, layers_of_folder(folders(family)))
    accepted = {
        component: {x.path for x in layout.layers if x.component == component and x.is_served}
        for component in {layer.component for layer in layout.layers}
    }
    with_slots = {component: set(lora.places) for component, lora in loras.items()}
    assert {name: paths for name, paths in accepted.items() if paths} == with_slots


@pytest.mark.parametrize("family", FAMILIES)
def test_an_adapter_of_every_layer_that_has_a_slot_changes_the_picture_as_in_diffusers(
    family: str,
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
    adapter: Callable[..., AdapterUse],
) -> None:
    model = load(family)
    every = adapter(family, targets=sorted(model.loras[model.family.network].places))
    bare, ours = denoise(model, [job(), job(adapters=(every,))])
    theirs = by_diffusers(folders(family), job(adapters=(every,)))
    assert_same(ours.latents, theirs, first=ours.schedule.noise_scale)
    assert (ours.latents - bare.latents).abs().mean() > 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_equal_to_the_last_bit_whoever_shares_its_batch(
    family: str, load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model, style, other = load(family), adapter(family, seed=1), adapter(family, seed=2)
    mine = job("mine", adapters=(style,))
    one = denoise(model, [job("a", seed=1), mine, job("b", seed=2, adapters=(other,))])[1]
    two = denoise(model, [job("c", seed=3, adapters=(style,)), mine, job("d", seed=4)])[1]
    assert torch.equal(one.latents, two.latents)


@pytest.mark.parametrize("family", ["sd", "sdxl-v"])
def test_guidance_is_rescaled_row_by_row_as_in_diffusers(
    family: str, load: Callable[..., LoadedModel], folders: Callable[[str], Path]
) -> None:
    model = load(family)
    shares = [0.0, 0.7, 0.2, 0.7]
    requests = [
        job("a cat", seed=1, steps=steps, guidance=guidance, guidance_rescale=share)
        for share, steps, guidance in zip(shares, [3, 4, 6, 4], [5.0, 7.5, 4.0, 1.0], strict=True)
    ]
    for request, made in zip(requests, denoise(model, requests), strict=True):
        theirs = by_diffusers(folders(family), request)
        assert_same(made.latents, theirs, first=made.schedule.noise_scale)
    plain, rescaled = denoise(model, [job(), job(guidance_rescale=0.7)])
    assert (plain.latents - rescaled.latents).abs().mean() > 0.01


def test_requests_may_ask_for_it_where_the_engine_does_it() -> None:
    for spec in registry.FAMILIES:
        for name in spec.pipelines:
            can = spec.renormalise is unet.renormalise
            assert {f.rescales_guidance for f in registration.PIPELINES[name]} == {can}


@pytest.mark.parametrize(
    ("model", "family", "size"),
    [
        ("sdxl-v", Family.SDXL, 32),
        ("flux", Family.FLUX, 1024),
        ("sd3", Family.SD35_MEDIUM, 1024),
        ("z-image", Family.Z_IMAGE, 1024),
    ],
)
def test_a_folder_is_registered_as_its_family_by_its_configurations(
    model: str, family: Family, size: int, folders: Callable[[str], Path]
) -> None:
    assert registration._family_and_size(folders(model)) == (family, size)


def test_rows_that_rescale_nothing_keep_their_bits(load: Callable[..., LoadedModel]) -> None:
    model = load("sdxl")
    alone = denoise(model, [job("a"), job("b", seed=8)])[0]
    beside = denoise(model, [job("a"), job("b", seed=8, guidance_rescale=0.7)])[0]
    assert torch.equal(alone.latents, beside.latents)


def test_sdxl_without_zeroed_negatives_encodes_an_empty_prompt(
    load: Callable[..., LoadedModel], folders: Callable[[str], Path]
) -> None:
    pipe = pipeline(folders("sdxl"))
    pipe.register_to_config(force_zeros_for_empty_prompt=False)
    (ours,) = denoise(assemble(pipe, Settings()), [job()])
    (zeroed,) = denoise(load("sdxl"), [job()])
    assert not torch.allclose(ours.latents, zeroed.latents, atol=1e-3)


def test_an_unknown_pipeline_is_refused_by_name() -> None:
    class OtherPipeline:
        pass

    unknown: Any = OtherPipeline()
    with pytest.raises(ModelNotLoadable, match="OtherPipeline"):
        assemble(unknown, Settings())


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadable):
        Engine.load(tmp_path)
