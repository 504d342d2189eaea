"""What a model will take of the memory, told from its configuration alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from generation.engine.families.family import FamilySpec
from generation.engine.families.flux import FLUX
from generation.engine.families.sdxl import SDXL
from generation.engine.jobs import ModelNotLoadable
from generation.engine.loading import memory_need
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loading.memory_need import ModelParts
from generation.engine.loading.quantization import FP8
from tests.bench import gpu_models
from tests.engine.rendering import SIDE, denoise, job

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
FAMILIES = ["sd", "starter", "sdxl", "flux", "sd3", "z-image"]
KIB = 1024


def blank(kib: int) -> torch.Tensor:
    return torch.zeros(kib * KIB, device="meta", dtype=torch.uint8)


def full_size(family: FamilySpec, pipe: object) -> ModelParts:
    network, vae = getattr(pipe, family.network), pipe.vae  # type: ignore[attr-defined] # a pipeline
    text = {name: getattr(pipe, name) for name in family.text_encoders}
    return ModelParts(family, network, vae, text, [])


def test_peak_is_what_is_alive_at_once() -> None:
    def run() -> None:
        first = blank(4)
        second = first + 1
        del first
        third = second + blank(4)
        del second, third
        blank(2)

    assert memory_need.peak_bytes(run) == 12 * KIB


def test_views_and_weights_take_nothing() -> None:
    weights = blank(64)
    assert memory_need.peak_bytes(lambda: weights.view(-1, 2).t()[0]) == 0
    assert memory_need.peak_bytes(lambda: (weights + 1).view(-1, 2).t()) == 64 * KIB


@pytest.mark.parametrize("family", FAMILIES)
def test_plan_has_the_weights_and_slots_of_the_loaded_model(
    family: str, folders: Callable[[str], Path], load: Callable[..., LoadedModel]
) -> None:
    settings = Settings(adapter_slots=3, rank_ceiling=8)
    parts = memory_need.of_folder(folders(family))
    plan = memory_need.plan(parts, settings=settings, size=(SIDE, SIDE), dtype=torch.float32)
    model = load(family, adapter_slots=3, rank_ceiling=8)
    modules = [part for part in model.pipe.components.values() if isinstance(part, torch.nn.Module)]
    weights = sum(p.nbytes for module in modules for p in module.parameters())
    assert plan.weights + plan.text == weights
    loras = list(model.loras.values())
    held = 4 * sum(lora.flat_size for lora in loras) + 8 * loras[0].flat_size
    assert plan.slots == 4 * held
    assert min(plan.forward, plan.decoding) > 0
    assert plan.total == weights + plan.slots + plan.forward + plan.decoding


@pytest.mark.parametrize("family", FAMILIES)
def test_more_rows_and_larger_pictures_take_more(
    family: str, folders: Callable[[str], Path]
) -> None:
    parts = memory_need.of_folder(folders(family))

    def plan(rows: int, side: int) -> memory_need.MemoryPlan:
        settings = Settings(batch_sizes=(1, rows))
        return memory_need.plan(parts, settings=settings, size=(side, side), dtype=torch.float32)

    few, many, large = plan(2, SIDE), plan(8, SIDE), plan(2, 2 * SIDE)
    assert 3 * few.forward < many.forward < 5 * few.forward
    assert many.slots > few.slots
    assert (large.forward > few.forward, large.decoding > few.decoding) == (True, True)


def test_full_size_models_take_what_they_are_known_to_take() -> None:
    with torch.device("meta"):
        sdxl, flux = gpu_models._sdxl(), gpu_models._flux()
    settings, size = Settings(batch_sizes=(1, 2)), (1024, 1024)
    one = memory_need.plan(
        full_size(SDXL, sdxl), settings=settings, size=size, dtype=torch.bfloat16
    )
    assert 4.8 < one.weights / memory_need.GIB < 5.1
    assert 0.1 < one.forward / memory_need.GIB < 1.0
    assert 1.0 < one.decoding / memory_need.GIB < 3.0
    other = memory_need.plan(
        full_size(FLUX, flux), settings=settings, size=size, dtype=torch.bfloat16
    )
    assert 22 < other.weights / memory_need.GIB < 23


def test_flux_fits_a_card_of_24_gib_with_fp8_alone() -> None:
    with torch.device("meta"):
        flux = full_size(FLUX, gpu_models._flux())
    settings = Settings(batch_sizes=(1, 2), rank_ceiling=16)
    card = int(memory_need.USABLE * 24 * memory_need.GIB)
    size, dtype = (1024, 1024), torch.bfloat16
    assert memory_need.plan(flux, settings=settings, size=size, dtype=dtype).total > card
    found = memory_need.smaller(flux, settings=settings, size=size, dtype=dtype, budget_bytes=card)
    assert found is not None
    assert (found.is_fp8, found.rows) == (True, 2)
    assert 14 < found.weights / memory_need.GIB < 15


def test_smaller_variant_keeps_as_many_rows_as_fit(folders: Callable[[str], Path]) -> None:
    parts = memory_need.of_folder(folders("sdxl"))
    size, dtype = (SIDE, SIDE), torch.float32
    whole = memory_need.plan(parts, settings=Settings(), size=size, dtype=dtype)

    def fitted(budget_bytes: int, settings: Settings | None = None) -> memory_need.MemoryPlan:
        found = memory_need.smaller(
            parts,
            settings=settings or Settings(),
            size=size,
            dtype=dtype,
            budget_bytes=budget_bytes,
        )
        assert found is not None
        assert found.total <= budget_bytes
        return found

    offloaded = fitted(whole.total - 1)
    fp8 = fitted(offloaded.total - 1)
    both = fitted(fp8.total - 1)
    variants = [(each.is_text_offloaded, each.is_fp8) for each in (offloaded, fp8, both)]
    assert variants == [(True, False), (False, True), (True, True)]
    assert {each.rows for each in (offloaded, fp8, both)} == {8}
    assert 2 <= fitted(both.total - 1).rows < 8
    # What is set already is kept.
    assert fitted(whole.total, Settings(weights=FP8)) == fp8
    assert fitted(whole.total, Settings(is_text_offloaded=True)) == offloaded
    nothing = memory_need.smaller(
        parts, settings=Settings(), size=size, dtype=dtype, budget_bytes=1000
    )
    assert nothing is None


def test_graphs_keep_a_forward_of_their_own(folders: Callable[[str], Path]) -> None:
    parts, plain = memory_need.of_folder(folders("sd")), Settings()

    def plan(settings: Settings) -> memory_need.MemoryPlan:
        return memory_need.plan(parts, settings=settings, size=(SIDE, SIDE), dtype=torch.float32)

    graphs = plan(replace(plain, has_cuda_graphs=True))
    assert graphs.total - plan(plain).total == graphs.forward
    assert "as much for graphs" in str(graphs)
    smaller = memory_need.smaller(
        parts,
        settings=replace(plain, has_cuda_graphs=True),
        size=(SIDE, SIDE),
        dtype=torch.float32,
        budget_bytes=graphs.total - 1,
    )
    assert smaller == plan(plain)


def test_text_encoders_in_main_memory_give_the_same_picture(
    load: Callable[..., LoadedModel],
) -> None:
    (usual,) = denoise(load("sdxl"), [job()])
    (other,) = denoise(load("sdxl", is_text_offloaded=True), [job()])
    assert torch.equal(usual.latents, other.latents)


def test_offloaded_text_is_not_counted_on_the_device(folders: Callable[[str], Path]) -> None:
    parts = memory_need.of_folder(folders("sd"))
    plan = memory_need.plan(parts, settings=Settings(), size=(SIDE, SIDE), dtype=torch.float32)
    assert replace(plan, is_text_offloaded=True).total == plan.total - plan.text
    assert "in main memory" in str(replace(plan, is_text_offloaded=True))


def test_a_folder_of_no_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadable):
        memory_need.of_folder(tmp_path)
    (tmp_path / "model_index.json").write_text('{"_class_name": "OtherPipeline"}')
    with pytest.raises(ModelNotLoadable):
        memory_need.of_folder(tmp_path)
