"""Hostile and clumsy LoHa, LoKr, DoRA and biases: what is accepted is whole, finite and bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from adapters.checks import inspection, rank_limit, rewrite, weight_scan
from adapters.checks.inspection import Base
from adapters.checks.rewrite import TensorSource
from tests.adapters.files import arrays, write, zeros
from tests.adapters.vectors import Q15, Arrays, flat, pair

STEM = f"lora_unet_{flat(Q15)}"  # takes 320 and gives 320 numbers
QKV = "lora_unet_double_blocks_0_img_attn_qkv"  # takes 3072 and gives three times as many
CONVOLUTION = "lora_unet_down_blocks_0_resnets_0_conv1"
DRAW = np.random.default_rng(11)


def numbers(*shape: int, scale: float = 0.1) -> NDArray[Any]:
    return (DRAW.standard_normal(shape) * scale).astype(np.float32)


def named(stem: str, parts: Arrays) -> Arrays:
    return {f"{stem}.{name}": part for name, part in parts.items()}


def judge(folder: Path, content: Arrays | bytes, family: str = "sd15") -> inspection.Inspection:
    content = content if isinstance(content, bytes) else arrays(content)
    path = write(folder / "a.safetensors", content)
    return inspection.inspect(path, base=Base.of_family(family))


def warnings(folder: Path, tensors: Arrays) -> str:
    report = judge(folder, tensors).report
    assert report.accepted, report.message
    return " ".join(report.warnings)


SIZES: dict[str, dict[str, tuple[int, ...]]] = {
    "loha with 1 x 1 sides": {
        "hada_w1_a": (7, 2, 1, 1), "hada_w1_b": (2, 9, 1, 1),
        "hada_w2_a": (7, 2, 1, 1), "hada_w2_b": (2, 9, 1, 1),
    },
    "lora of 3 x 3 beside a bias": {
        "lora_down.weight": (2, 320, 3, 3), "lora_up.weight": (320, 2, 1, 1), "diff_b": (320,),
    },
    "lora of other sizes beside a bias": {
        "lora_down.weight": (2, 32), "lora_up.weight": (320, 2), "diff_b": (320,),
    },
    "lokr with 1 x 1 sides": {"lokr_w1": (4, 4, 1, 1), "lokr_w2": (8, 8, 1, 1)},
}  # fmt: skip


@pytest.mark.parametrize("case", SIZES)
def test_sizes_are_the_layers_whatever_the_kind(case: str, tmp_path: Path) -> None:
    report = judge(tmp_path, named(STEM, {n: numbers(*s) for n, s in SIZES[case].items()})).report
    assert report.code == "dimension_mismatch", report.message


@pytest.mark.parametrize("ends", [(), (1, 1)])
def test_a_loha_of_a_pointwise_convolution_is_written_whole(
    ends: tuple[int, ...], tmp_path: Path
) -> None:
    sides = {"hada_w1_a": (320, 2), "hada_w1_b": (2, 320)}
    sides |= {name.replace("w1", "w2"): side for name, side in sides.items()}
    parts = {name: numbers(*side, *ends) for name, side in sides.items()}
    tensors = named("lora_unet_down_blocks_0_attentions_0_proj_in", parts)
    found = judge(tmp_path, tensors)
    assert found.report.accepted, found.report.message
    source = TensorSource.of(tmp_path / "a.safetensors", found)
    made = load_file(rewrite.write(source, tmp_path / "b.safetensors").path)
    assert sorted(part.shape for part in made.values()) == [(4, 320, 1, 1), (320, 4, 1, 1)]


LARGER: dict[str, dict[str, tuple[int, ...]]] = {
    "lokr whole": {"lokr_w1": (4, 4), "lokr_w2": (80, 80, 3, 3)},
    "lokr of products": {"lokr_w1": (4, 4), "lokr_w2_a": (80, 2), "lokr_w2_b": (2, 720)},
    "lokr with a middle": {
        "lokr_w1": (4, 4), "lokr_w2_a": (2, 80), "lokr_w2_b": (2, 80), "lokr_t2": (2, 2, 3, 3),
    },
    "loha": {
        "hada_w1_a": (320, 2), "hada_w1_b": (2, 2880),
        "hada_w2_a": (320, 2), "hada_w2_b": (2, 2880),
    },
}  # fmt: skip


@pytest.mark.parametrize("case", LARGER)
def test_a_larger_convolution_is_told_as_a_layer_that_is_not_served(
    case: str, tmp_path: Path
) -> None:
    parts = {name: numbers(*shape) for name, shape in LARGER[case].items()}
    report = judge(tmp_path, named(CONVOLUTION, parts)).report
    assert report.code == "unsupported_layers", report.message
    assert "no convolutions" in report.advice


def lokr(**parts: NDArray[Any]) -> Arrays:
    return named(STEM, {f"lokr_{name}": part for name, part in parts.items()})


INFINITE: dict[str, Arrays] = {
    "factors that only cancel in the product": lokr(
        w1_a=np.full((16, 1), 1e-30, np.float32), w1_b=np.full((1, 16), 1e30, np.float32),
        w2_a=np.full((20, 1), 1e-30, np.float32), w2_b=np.full((1, 20), 1e30, np.float32),
    ),
    "a bias times its scale": {
        **pair(f"unet.{Q15}", (320, 320), rank=2, ends=(".lora_down.weight", ".lora_up.weight")),
        f"unet.{Q15}.alpha": np.array(1e6, np.float32),
        f"unet.{Q15}.lora_up.bias": np.full(320, 1e36, np.float32),
    },
    "two biases together": {
        **pair(STEM, (320, 320), rank=2, dtype="float32"),
        f"{STEM}.lora_up.bias": np.eye(1, 320, dtype=np.float32)[0] * np.float32(3e38),
        f"{STEM}.diff_b": np.eye(1, 320, dtype=np.float32)[0] * np.float32(3e38),
    },
    "an up matrix times its scale": named(STEM, {
        "lora_down.weight": np.full((2, 320), 1e-30, np.float32),
        "lora_up.weight": np.full((320, 2), 1e35, np.float32),
        "alpha": np.array(1e6, np.float32),
    }),
}  # fmt: skip


@pytest.mark.parametrize("case", INFINITE)
def test_what_would_be_written_infinite_is_refused(case: str, tmp_path: Path) -> None:
    report = judge(tmp_path, INFINITE[case]).report
    assert report.code == "not_finite", report.message


def test_a_bias_alone_is_no_adapter_without_effect(tmp_path: Path) -> None:
    tensors = pair(STEM, (320, 320), rank=2, alpha=2.0)
    tensors[f"{STEM}.lora_up.weight"][:] = 0
    assert "matrices are zero" in warnings(tmp_path, tensors)
    idle = tensors | {f"{STEM}.diff_b": np.zeros(320, np.float32)}
    assert "matrices are zero" in warnings(tmp_path, idle)
    for name in ("diff_b", "lora_up.bias"):
        moving = tensors | {f"{STEM}.{name}": np.ones(320, np.float32)}
        assert "changes nothing" not in warnings(tmp_path, moving)


def test_alpha_0_stops_what_it_scales_and_nothing_else(tmp_path: Path) -> None:
    tensors = pair(STEM, (320, 320), rank=2, alpha=0.0)
    scaled = tensors | {f"{STEM}.lora_up.bias": np.ones(320, np.float32)}
    assert "Every alpha is 0" in warnings(tmp_path, tensors)
    assert "Every alpha is 0" in warnings(tmp_path, scaled)
    for name, part in {"diff_b": np.ones(320), "dora_scale": np.ones((320, 1))}.items():
        moving = tensors | {f"{STEM}.{name}": part.astype(np.float32)}
        assert "changes nothing" not in warnings(tmp_path, moving)


def test_a_factor_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    tensors = lokr(w1=numbers(4, 4), w2=numbers(80, 80), w1_a=np.zeros((4, 1), np.float32))
    report = judge(tmp_path, tensors).report
    assert report.code == "incomplete_pair"
    assert "lokr_w1 both whole and in factors" in report.message


def test_a_lokr_is_fitted_by_its_factors_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole factors have the layer's own rank; only what is as small as they are is decomposed."""
    svd, decomposed = np.linalg.svd, []

    def watched(matrix: NDArray[Any], **how: Any) -> Any:
        decomposed.append(matrix.shape)
        return svd(matrix, **how)

    monkeypatch.setattr(np.linalg, "svd", watched)
    first, second = numbers(144, 48), numbers(64, 64)
    tensors = named(QKV, {"lokr_w1": first, "lokr_w2": second})
    found = judge(tmp_path, tensors, "flux")
    assert found.report.accepted, found.report.message
    assert found.report.rank == 3072
    source = TensorSource.of(tmp_path / "a.safetensors", found)
    made = rewrite.write(source, tmp_path / "b.safetensors", rank=4)
    assert max(max(shape) for shape in decomposed) <= 64
    written, kept = load_file(made.path), made.kept
    whole = np.kron(first, second).reshape(3, 3072, 3072)
    for number, name in enumerate(("to_q", "to_k", "to_v")):
        layer = f"transformer.transformer_blocks.0.attn.{name}"
        down, up = (written[f"{layer}.lora_{half}.weight"] for half in "AB")
        assert (down.shape, up.shape) == ((4, 3072), (3072, 4))
        lost = np.square(whole[number] - up @ down, dtype=np.float64).sum()
        energy = np.square(whole[number], dtype=np.float64).sum()
        assert kept[layer] == pytest.approx(1 - lost / energy, abs=1e-5)


def test_a_fitted_lokr_is_the_best_of_its_rank(tmp_path: Path) -> None:
    tensors = lokr(w1=numbers(16, 16), w2_a=numbers(20, 3), w2_b=numbers(3, 20))
    found = judge(tmp_path, tensors)
    source = TensorSource.of(tmp_path / "a.safetensors", found)
    made = rewrite.write(source, tmp_path / "b.safetensors", rank=5)
    [kept] = made.kept.values()
    first, p, q = tensors.values()
    values = np.linalg.svd(np.kron(first, p @ q).astype(np.float64), compute_uv=False)
    assert kept == pytest.approx((values[:5] ** 2).sum() / (values**2).sum(), abs=1e-5)


def test_a_layer_is_fitted_to_no_more_than_its_sides(tmp_path: Path) -> None:
    tensors = pair("lora_unet_img_in", (64, 3072), rank=100)
    found = judge(tmp_path, tensors, "flux")
    source = TensorSource.of(tmp_path / "a.safetensors", found)
    made = rewrite.write(source, tmp_path / "b.safetensors", rank=80)
    assert (made.rank, made.kept) == (64, {"transformer.x_embedder": 1.0})
    assert len(load_file(made.path)) == 2


@pytest.mark.parametrize(
    "shapes",
    [
        {"hada_w1_a": (9216, 2), "hada_w1_b": (2, 3072),
         "hada_w2_a": (9216, 2000), "hada_w2_b": (2000, 3072)},
        {"lokr_w1": (1, 1), "lokr_w2": (9216, 3072)},
        {"lora_down.weight": (3000, 3072), "lora_up.weight": (9216, 3000)},
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused_before_it_is_read(
    shapes: dict[str, tuple[int, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no word of a fit: the button of it hangs on `rank_too_high`."""
    monkeypatch.setattr(weight_scan, "scan", None)
    content = zeros({f"{QKV}.{name}": shape for name, shape in shapes.items()})
    report = judge(tmp_path, content, "flux").report
    assert report.code == "too_large"
    assert "transformer.transformer_blocks.0.attn.to_q" in report.message
    assert report.advice.startswith("Train it with a lower rank")


def test_many_layers_are_too_large_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rank_limit, "WORK_MAX", 2 * 8**2 * 640 - 1)
    one = pair(STEM, (320, 320), rank=8)
    assert judge(tmp_path, one).report.accepted
    report = judge(tmp_path, one | pair(STEM.replace("to_q", "to_v"), (320, 320), rank=8)).report
    assert report.code == "too_large"
    assert "2 layers" in report.message
