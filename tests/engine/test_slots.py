"""Adapters in slots: whose they are, what they cost, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from generation.engine.adapters.adapter_slots import AdapterCache, FlatAdapter, Slots
from generation.engine.adapters.lora_file import AdapterFile
from generation.engine.adapters.lora_weights import LoraWeights
from generation.engine.jobs import AdapterNotLoadable, AdapterUse, NotFinite, RankTooHigh
from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loop.denoiser import Denoiser
from tests.engine.rendering import assert_same, by_diffusers, denoise, job, order

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]


def shelf_of(model: LoadedModel, folder: Path | None = None) -> AdapterCache:
    return AdapterCache(
        model.read_adapter, model.loras, folder=folder, ceiling_bytes=1 << 28, is_pinned=False
    )


def kohya(path: Path, target: Path, *, alpha: float) -> Path:
    """The same weights in kohya's names: underscores, down and up, an alpha for each layer."""
    named: dict[str, torch.Tensor] = {}
    for key, tensor in load_file(path).items():
        part, _, layer = key.partition(".")
        prefix = {"unet": "lora_unet", "text_encoder": "lora_te"}[part]
        layer, _, side = layer.removesuffix(".weight").rpartition(".")
        if part == "text_encoder":
            layer = f"text_model.{layer.removeprefix('text_model.')}"
        name = f"{prefix}_{layer.replace('.', '_')}"
        named[f"{name}.{'lora_down' if side == 'lora_A' else 'lora_up'}.weight"] = tensor
        named[f"{name}.alpha"] = torch.tensor(alpha)
    save_file(named, target)
    return target


def test_weight_zero_is_the_bare_model_to_the_last_byte(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model, style = load("sd"), adapter("sd", has_text=True)
    silent = AdapterUse(style.name, style.path, 0.0)
    bare, muted = denoise(model, [job()])[0], denoise(model, [job(adapters=(silent,))])[0]
    assert torch.equal(bare.latents, muted.latents)


def test_kohya_names_and_alphas_act_as_diffusers_reads_them(
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
    adapter: Callable[..., AdapterUse],
    tmp_path: Path,
) -> None:
    path = kohya(adapter("sd", has_text=True).path, tmp_path / "kohya.safetensors", alpha=2.0)
    request = job(adapters=(AdapterUse("kohya", path, 0.8),))
    (ours,) = denoise(load("sd"), [request])
    (plain,) = denoise(load("sd"), [job()])
    theirs = by_diffusers(folders("sd"), request)
    assert_same(ours.latents, theirs)
    assert not torch.allclose(ours.latents, plain.latents, atol=1e-2)


def test_every_rank_up_to_the_ceiling_acts_as_in_diffusers(
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
    adapter: Callable[..., AdapterUse],
) -> None:
    model = load("sd", rank_ceiling=8)
    for rank in (1, 3, 8):
        request = job(steps=2, adapters=(adapter("sd", seed=rank, rank=rank),))
        (ours,) = denoise(model, [request])
        theirs = by_diffusers(folders("sd"), request)
        assert_same(ours.latents, theirs)


def test_a_rank_above_the_ceiling_is_refused_by_name(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model = load("sd", rank_ceiling=4)
    with pytest.raises(RankTooHigh, match="rank 5; the model allows 4"):
        order(model, job(adapters=(adapter("sd", rank=5),)))


def test_an_adapter_for_layers_that_the_model_lacks_is_refused_by_name(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    with pytest.raises(AdapterNotLoadable, match="mid_block|down_blocks|up_blocks"):
        order(load("sd"), job(adapters=(adapter("sdxl"),)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda tensors: {key.removeprefix("unet."): t for key, t in tensors.items()},
        lambda tensors: {key.replace("attn1", "attn9"): t for key, t in tensors.items()},
        lambda tensors: dict(list(tensors.items())[1:]),
        lambda tensors: {key: t[:, :-1].contiguous() for key, t in tensors.items()},
    ],
    ids=["no prefix", "unknown layer", "half a layer", "wrong shapes"],
)
def test_a_file_that_would_act_in_part_or_not_at_all_is_refused(
    damage: Any,
    load: Callable[..., LoadedModel],
    adapter: Callable[..., AdapterUse],
    tmp_path: Path,
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    save_file(damage(load_file(adapter("sd").path)), damaged)
    with pytest.raises(AdapterNotLoadable):
        order(load("sd"), job(adapters=(AdapterUse("damaged", damaged, 1.0),)))


def test_a_file_that_is_no_safetensors_file_is_refused(
    load: Callable[..., LoadedModel], tmp_path: Path
) -> None:
    path = tmp_path / "adapter.safetensors"
    path.write_bytes(b"\x80\x04 a pickle, perhaps")
    with pytest.raises(AdapterNotLoadable):
        order(load("sd"), job(adapters=(AdapterUse("pickle", path, 1.0),)))


def test_a_broken_adapter_fails_its_own_request_alone(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse], tmp_path: Path
) -> None:
    model, broken = load("sd"), tmp_path / "broken.safetensors"
    save_file({k: t * float("nan") for k, t in load_file(adapter("sd").path).items()}, broken)
    denoiser = Denoiser(model)
    bad = order(model, job(adapters=(AdapterUse("broken", broken, 1.0),)))
    good = order(model, job())
    for item in (bad, good):
        denoiser.enqueue(item)
    finished = []
    with torch.inference_mode():
        while not denoiser.is_idle:
            finished += denoiser.step()
    (alone,) = denoise(model, [job()])
    assert isinstance(bad.future.exception(timeout=0), NotFinite)
    assert [trajectory.order for trajectory in finished] == [good]
    assert_same(finished[0].latents, alone.latents)


def test_a_flat_file_serves_the_next_start_without_the_original(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse], tmp_path: Path
) -> None:
    model, style = load("sd"), adapter("sd", has_text=True)
    first = shelf_of(model, tmp_path / "flat").fetch(style)
    style.path.unlink()
    second = shelf_of(model, tmp_path / "flat").fetch(style)
    assert all(torch.equal(a, b) for a, b in zip(first.parts, second.parts, strict=True))
    assert first.layers == second.layers


def test_a_truncated_flat_file_is_made_again(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse], tmp_path: Path
) -> None:
    model, style = load("sd"), adapter("sd")
    first = shelf_of(model, tmp_path).fetch(style)
    (flat,) = tmp_path.glob("*.flat")
    flat.write_bytes(flat.read_bytes()[:-4])
    assert torch.equal(shelf_of(model, tmp_path).fetch(style).parts[0], first.parts[0])


def test_the_shelf_forgets_the_least_recently_used_first(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model = load("sd")
    uses = [adapter("sd", seed=seed) for seed in (1, 2, 3)]
    size = shelf_of(model).fetch(uses[0]).size_bytes
    shelf = AdapterCache(
        model.read_adapter, model.loras, folder=None, ceiling_bytes=2 * size, is_pinned=False
    )
    first, second = shelf.fetch(uses[0]), shelf.fetch(uses[1])
    shelf.fetch(uses[0])
    shelf.fetch(uses[2])
    assert shelf.fetch(uses[0]) is first
    assert shelf.fetch(uses[1]) is not second


def test_the_shelf_keeps_an_adapter_that_alone_is_above_its_ceiling(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model = load("sd")
    shelf = AdapterCache(
        model.read_adapter, model.loras, folder=None, ceiling_bytes=1, is_pinned=False
    )
    use = adapter("sd")
    assert shelf.fetch(use) is shelf.fetch(use)


def test_a_flat_file_of_another_layout_is_not_read(tmp_path: Path) -> None:
    """Of equal size, it would put one layer's numbers into another."""
    down, up = torch.ones(2, 8), torch.ones(8, 2)
    file = AdapterFile({"unet.one.lora_A.weight": down, "unet.one.lora_B.weight": up}, {}, {})
    use = AdapterUse("style", tmp_path / "style.safetensors", 1.0)
    for names in (("one", "other"), ("other", "one")):
        layers = {name: nn.Linear(8, 8).requires_grad_(False) for name in names}
        lora = LoraWeights(layers, slots=1, rank=2, device=torch.device("cpu"), dtype=torch.float32)
        shelf = AdapterCache(
            lambda _: file, {"unet": lora}, folder=tmp_path, ceiling_bytes=1 << 20, is_pinned=False
        )
        fetched = shelf.fetch(use)
        assert fetched.layers == (frozenset({"one"}),)
        assert torch.equal(fetched.parts[0], lora.flatten({"one": (down, up)}))


def flat(model: LoadedModel, name: str) -> tuple[FlatAdapter, float]:
    parts = tuple(torch.zeros(lora.flat_size) for lora in model.loras.values())
    return FlatAdapter(name, parts, tuple(frozenset[str]() for _ in parts)), 1.0


def test_pinned_slots_are_never_taken_and_a_released_one_is(
    load: Callable[..., LoadedModel],
) -> None:
    model = load("sd", adapter_slots=2)
    slots = Slots(model.loras, 2)
    a, b, c = (flat(model, name) for name in "abc")
    ((slot_a, _),) = slots.acquire([a]) or ()
    assert slots.acquire([b]) is not None
    assert slots.acquire([c]) is None
    slots.release([a])
    assert slots.acquire([c]) == ((slot_a, 1.0),)


def test_a_row_that_wears_more_than_there_is_room_for_waits_and_pins_nothing(
    load: Callable[..., LoadedModel],
) -> None:
    model = load("sd", adapter_slots=2)
    slots = Slots(model.loras, 2)
    a, b, c = (flat(model, name) for name in "abc")
    slots.acquire([a])
    slots.release([a])
    assert slots.acquire([a, b, c]) is None, "its own adapter makes no room for it"
    assert slots.acquire([b, c]) is not None


def test_slots_say_which_adapters_are_in_them(load: Callable[..., LoadedModel]) -> None:
    model = load("sd", adapter_slots=2)
    slots = Slots(model.loras, 2)
    a, b, c = (flat(model, name) for name in "abc")
    slots.acquire([a, b])
    assert slots.resident == {"a", "b"}
    slots.release([a, b])
    slots.acquire([c])
    assert slots.resident == {"b", "c"}


def test_an_adapter_that_is_still_there_costs_no_copy(load: Callable[..., LoadedModel]) -> None:
    model = load("sd", adapter_slots=2)
    slots = Slots(model.loras, 2)
    a = flat(model, "a")
    slots.acquire([a])
    slots.release([a])
    slots.acquire([(a[0], 0.3)])
    assert (slots.hits, slots.misses) == (1, 1)


def test_the_least_recently_used_adapter_makes_room(load: Callable[..., LoadedModel]) -> None:
    model = load("sd", adapter_slots=2)
    slots = Slots(model.loras, 2)
    a, b, c = (flat(model, name) for name in "abc")
    for adapter in (a, b, a, c, a):
        slots.acquire([adapter])
        slots.release([adapter])
    assert slots.misses == 3


def test_what_a_batch_wears_can_be_kept_in_one_place() -> None:
    generator = torch.Generator().manual_seed(2)
    layers = {name: nn.Linear(8, 8).requires_grad_(False) for name in ("first", "second")}
    x = torch.randn(2, 3, 8, generator=generator)
    bare = {name: layer(x) for name, layer in layers.items()}
    lora = LoraWeights(
        layers, slots=3, rank=2, device=torch.device("cpu"), dtype=torch.float32, rows_kept=2
    )
    pairs = {}
    for slot, names in ((1, ("first",)), (2, ("second",)), (3, ("first", "second"))):
        pairs[slot] = {
            name: (torch.randn(2, 8, generator=generator), torch.randn(8, 2, generator=generator))
            for name in names
        }
        lora.install(slot, lora.flatten(pairs[slot]), frozenset(names))
    places = set()
    for rows in (((1, 1.0),), ()), (((2, 0.5),), ((3, 2.0),)), (((3, 1.0),), ((1, -1.0),)):
        lora.wear(rows)
        places.add(lora._sheets[0].data_ptr())
        for name, layer in layers.items():
            expected = bare[name].clone()
            for index, row in enumerate(rows):
                for slot, weight in row:
                    if name in pairs[slot]:
                        down, up = pairs[slot][name]
                        expected[index] += weight * (x[index] @ down.T @ up.T)
            torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=0)
    assert len(places) == 1
    lora.wear(((), ()))
    assert all(torch.equal(layer(x), bare[name]) for name, layer in layers.items())


def test_a_slot_holds_nothing_of_whom_it_held_before() -> None:
    layers = {name: nn.Linear(8, 8).requires_grad_(False) for name in ("first", "second")}
    x = torch.randn(1, 3, 8)
    lora = LoraWeights(layers, slots=2, rank=2, device=torch.device("cpu"), dtype=torch.float32)
    large = {name: (torch.ones(2, 8), torch.ones(8, 2)) for name in layers}
    lora.install(1, lora.flatten(large), frozenset(layers))
    small = {"second": large["second"]}
    lora.install(1, lora.flatten(small), frozenset(small))
    lora.install(2, lora.flatten(large), frozenset(layers))
    bare = layers["first"](x)
    lora.wear([((1, 1.0), (2, 0.0))])  # the second makes both layers look what they wear
    assert torch.equal(layers["first"](x), bare)


def test_more_adapters_than_slots_still_give_every_picture_its_own(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model = load("sd", adapter_slots=2)
    uses = [adapter("sd", seed=seed) for seed in range(5)]
    requests = [job(steps=2 + n % 2, seed=n, adapters=(use,)) for n, use in enumerate(uses)]
    for request, crowded in zip(requests, denoise(model, requests), strict=True):
        (alone,) = denoise(load("sd"), [request])
        assert_same(crowded.latents, alone.latents)
