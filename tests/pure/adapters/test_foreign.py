"""Adapters of architectures that are not served are named, whatever tool wrote them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.checks import inspection
from adapters.checks.inspection import Base
from adapters.checks.inspection_report import InspectionReport
from adapters.formats import stated_base_model, target_modules
from adapters.formats.detection import recognise
from adapters.formats.safetensors_header import Header, Tensor
from tests.adapters import signatures, vectors
from tests.adapters.files import arrays, write
from tests.adapters.signatures import DIFFUSERS, NAMED, PEFT
from tests.adapters.vectors import GOOD, pair

INPUTS = Path(__file__).parents[4] / "shared" / "vectors" / "inputs"


def judge(folder: Path, tensors: vectors.Arrays, **said: Any) -> InspectionReport:
    metadata = said.pop("metadata", None)
    content = arrays(tensors, metadata=metadata)
    return inspection.inspect(write(folder / "adapter.safetensors", content), **said).report


@pytest.mark.parametrize("family", target_modules.FAMILIES)
@pytest.mark.parametrize("spelling", ["diffusers", "peft", "onetrainer", "diffusers_in_comfyui"])
def test_a_served_familys_whole_adapter_stays_that_familys(family: str, spelling: str) -> None:
    prefix, ends, is_flat = DIFFUSERS[spelling]
    if (family.startswith(("sd1", "sd2", "sdxl")) or family == "starter") and spelling in (
        "diffusers",
        "onetrainer",
    ):
        prefix = {"diffusers": "unet.", "onetrainer": "lora_unet_"}[spelling]
    layers = signatures.layers_of_family(family)
    found = recognise(signatures.header(layers, (prefix, ends, is_flat)))
    assert (found.families, found.is_foreign) == ((family,), False)
    assert found.best.is_whole


def test_a_part_that_two_models_have_is_accepted_and_both_are_named(tmp_path: Path) -> None:
    tensors = pair("transformer.transformer_blocks.3.attn.to_q", (3072, 3072), ends=PEFT)
    report = judge(tmp_path, tensors)
    assert (report.accepted, report.family) == (True, "flux")
    [warning] = [text for text in report.warnings if "also those of" in text]
    assert "Qwen-Image" in warning
    said = judge(tmp_path, tensors, metadata={"ss_base_model_version": "flux1"})
    assert not any("also those of" in text for text in said.warnings)


@pytest.mark.parametrize(
    ("key", "value", "model"),
    [
        ("ss_base_model_version", "chroma", "Chroma"),
        ("modelspec.architecture", "Qwen-Image/lora", "Qwen-Image"),
        ("ss_base_model_version", "flux2_klein_4b", "FLUX.2"),
        ("modelspec.architecture", "stable-diffusion-xl-v1-base/lora", "Stable Diffusion XL"),
        ("ss_network_module", "networks.lora_wan", "Wan"),
    ],
)
def test_metadata_that_says_another_model_is_repeated_in_a_warning(
    tmp_path: Path, key: str, value: str, model: str
) -> None:
    tensors = pair("transformer.transformer_blocks.3.attn.to_q", (3072, 3072), ends=PEFT)
    report = judge(tmp_path, tensors, metadata={key: value})
    assert report.accepted, report.message
    [warning] = [text for text in report.warnings if "metadata says" in text]
    assert f"for {model} ({key}: {value})" in warning
    assert "fit Flux" in warning


@pytest.mark.parametrize(
    ("value", "model"),
    [("sd_v1", "sd15"), ("sd_v2_768_v", "sd21"), ("sdxl_base_v1-0", "sdxl"), ("flux1", "flux"),
     ("flux-1-dev/lora", "flux"), ("stable-diffusion-v1/lora", "sd15"), ("sd_1.5", "sd15"),
     ("stable-diffusion-3-medium", "sd3"), ("zimage", "z-image"),
     ("wan2.1-t2v-14b", "Wan"), ("my own model", None)],
)  # fmt: skip
def test_the_models_that_trainers_write_are_known(value: str, model: str | None) -> None:
    said = stated_base_model.said_model({"ss_base_model_version": value})
    assert (said.model if said else None) == model


def test_a_chosen_model_is_named_beside_the_one_that_the_file_was_made_for(tmp_path: Path) -> None:
    tensors = pair("diffusion_model.blocks.0.self_attn.q", (5120, 5120), ends=PEFT)
    report = judge(tmp_path, tensors, base=Base.of_family("sdxl"))
    assert (report.code, report.family) == ("wrong_base_model", None)
    assert "not made for Stable Diffusion XL" in report.message
    assert "Wan 2.1 or 2.2 (14B)" in report.message


def test_what_stands_beside_another_models_lora_does_not_hide_the_model(tmp_path: Path) -> None:
    tensors = pair("diffusion_model.blocks.0.self_attn.q", (1536, 1536), ends=PEFT)
    tensors |= {"diffusion_model.blocks.0.diff_m": vectors.weights(1, 6, 64)}
    report = judge(tmp_path, tensors)
    assert report.code == "wrong_base_model"
    assert "Wan 2.1 (1.3B)" in report.message


def test_a_lokr_of_another_model_is_told_by_the_sizes_that_its_factors_make(tmp_path: Path) -> None:
    stem = "lycoris_transformer_blocks_0_attn_to_q"
    factors = {
        f"{stem}.lokr_w1": vectors.weights(8, 8),
        f"{stem}.lokr_w2_a": vectors.weights(768, 4),
        f"{stem}.lokr_w2_b": vectors.weights(4, 768),
    }
    report = judge(tmp_path, factors)
    assert report.code == "wrong_base_model"
    assert "FLUX.2 dev" in report.message


NAMES = st.lists(
    st.sampled_from(["lora_unet_", "blocks", "transformer_blocks", "0", "12", "99999999", "1:3",
                     ",", "attn", "to_q", "lokr_w1", "lokr_w2_a", "hada_w1_a", "hada_w1_b",
                     "lora_A", "lora_B", "default", "weight", "alpha", "_", "\u0663", ""]),
    min_size=1, max_size=8,
).map(".".join)  # fmt: skip
SHAPES = st.lists(st.integers(0, 4096), max_size=4).map(tuple)


@given(st.dictionaries(NAMES, SHAPES, min_size=1, max_size=12))
def test_no_names_or_shapes_are_too_strange_to_be_judged(shapes: dict[str, Any]) -> None:
    tensors = tuple(Tensor(name, "F16", shape, 0, 0) for name, shape in shapes.items())
    found = recognise(Header(tensors, {}, 0))
    assert 0 <= found.alike.explained <= found.alike.total <= len(shapes)


Q_FLUX = "transformer.transformer_blocks.0.attn.to_q"


@pytest.mark.parametrize(
    ("tensors", "code", "sentence"),
    [
        (GOOD | {"bundle_emb.jane.clip_l": vectors.weights(4, 768)}, "unsupported_type",
         "an embedding that is bundled"),
        (GOOD | {"lora_unet_mid_block_norm1.w_norm": vectors.weights(320),
                 "lora_unet_mid_block_norm1.b_norm": vectors.weights(320)}, "unsupported_type",
         "normalisation weights"),
        (GOOD | {"x_embedder.modules_to_save.default.weight": vectors.weights(8, 8)},
         "unsupported_type", "a layer that was trained in full"),
        ({f"{Q_FLUX}.lora_A": vectors.weights(3072, 4), f"{Q_FLUX}.lora_B":
          vectors.weights(4, 3072)}, "unsupported_type", "MLX's form"),
        ({f"{Q_FLUX}.lora_a": vectors.weights(3072, 4), f"{Q_FLUX}.lora_b":
          vectors.weights(4, 3072)}, "unsupported_type", "MLX's form"),
        (pair(Q_FLUX, (3072, 3072), ends=NAMED) | pair(
          f"{Q_FLUX.replace('0', '1')}", (3072, 3072),
          ends=(".lora_A.face.weight", ".lora_B.face.weight")), "unsupported_type",
         "2 adapters: default_0, face"),
        ({"weights.0.lora_down": vectors.weights(4, 320), "weights.0.lora_up":
          vectors.weights(320, 4)}, "unknown_keys", "numbers its layers"),
        (pair("1.to_q_lora", (320, 320), ends=(".down.weight", ".up.weight")), "unknown_keys",
         "numbers its layers"),
        (GOOD | {"lora_unet_mid_block_attentions_0_proj_in.alpha": np.array(4, np.float16)},
         "incomplete_pair", "an alpha, but no matrices"),
    ],
    ids=["bundled_embedding", "norms", "modules_to_save", "mlx", "mlx_small", "two_adapters",
         "numbered", "ip_adapter", "alpha_alone"],
)  # fmt: skip
def test_each_peculiarity_has_its_own_true_sentence(
    tmp_path: Path, tensors: vectors.Arrays, code: str, sentence: str
) -> None:
    report = judge(tmp_path, tensors)
    assert report.code == code, report.message
    assert sentence in report.message
    assert report.advice


def test_an_adapters_own_name_in_its_keys_is_no_obstacle(tmp_path: Path) -> None:
    report = judge(tmp_path, pair(Q_FLUX, (3072, 3072), ends=NAMED))
    assert (report.accepted, report.family) == (True, "flux")


def test_names_that_end_in_an_underscore_are_read_as_the_layer_that_they_name(
    tmp_path: Path,
) -> None:
    stem = "lora_unet_single_transformer_blocks_0_attn_to_k_"
    assert judge(tmp_path, pair(stem, (3072, 3072))).accepted


def test_alpha_is_judged_for_what_it_is(tmp_path: Path) -> None:
    stem = f"lora_unet_{vectors.flat(vectors.K15)}"
    zero = judge(tmp_path, pair(stem, (768, 320), alpha=0.0))
    assert any("alpha is 0" in text for text in zero.warnings)
    assert not any("up matrices" in text for text in zero.warnings)
    turned = judge(tmp_path, pair(stem, (768, 320), alpha=-2.0))
    assert turned.accepted
    assert [text for text in turned.warnings if "negative" in text]
    assert not any("times as much" in text for text in turned.warnings)


WANTED: dict[str, tuple[str | None, str]] = {
    "02": ("unsupported_type", "embedding that is bundled"),
    "05": ("unknown_keys", "numbers its layers"),
    "06": (None, "fits Z-Image"),
    "07": (None, "fits Z-Image"),
    "08a": ("wrong_base_model", "Qwen-Image"),
    "08b": (None, "metadata says that it was trained for Qwen-Image"),
    "08c": ("wrong_base_model", "Qwen-Image"),
    "08d": ("wrong_base_model", "Qwen-Image"),
    "09a": ("wrong_base_model", "FLUX.2 dev"),
    "09b": (None, "metadata says that it was trained for FLUX.2"),
    "09c": ("wrong_base_model", "FLUX.2 klein 4B"),
    "10_sd35_large": (None, "fits Stable Diffusion 3.5 Large"),
    "10_sd35_medium": (None, "fits Stable Diffusion 3.5 Medium"),
    "10c": (None, "fits Stable Diffusion 3.5 Medium"),
    "12": ("unsupported_type", "normalisation weights"),
    "13": ("wrong_base_model", "Wan"),
    "14b": (None, "Every alpha is 0"),
    "14c": (None, "Every alpha is 0"),
    "15": (None, "alpha is negative"),
    "16": (None, "6 layers that fits Flux"),
    "17": ("wrong_base_model", "AnimateDiff"),
    "20": ("wrong_base_model", "FLUX.1 Canny or Depth"),
    "21": ("wrong_base_model", "FLUX.1 Fill"),
    "22": (None, "metadata says that it was trained for Chroma"),
    "26_": (None, "fits Stable Diffusion 1.5"),
    "27a": (None, "fits Flux"),
    "27b": (None, "fits Flux"),
    "30": ("unsupported_type", "MLX"),
    "31": ("unsupported_type", "a layer that was trained in full"),
}


@pytest.fixture(scope="module")
def public_reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not INPUTS.is_dir():
        pytest.skip(f"{INPUTS} is not there: the inputs lie beside the project, not in it")
    folder = tmp_path_factory.mktemp("reported")
    command = [sys.executable, "lora_files.py", str(folder)]
    subprocess.run(command, cwd=INPUTS, check=True)  # noqa: S603 # the shared inputs' own maker
    return folder


@pytest.mark.parametrize("start", WANTED)
def test_files_after_public_reports_are_told_rightly(public_reports: Path, start: str) -> None:
    [path] = public_reports.glob(f"{start}*.safetensors")
    report = inspection.inspect(path).report
    code, sentence = WANTED[start]
    assert report.code == code, report.message
    assert sentence in " ".join([report.message, *report.warnings])
    assert not any("up matrices" in text for text in report.warnings if start.startswith("14"))


@pytest.mark.parametrize("start", ["01_", "03a", "14a", "18a", "19", "25", "28", "29"])
def test_files_that_were_told_rightly_still_are(public_reports: Path, start: str) -> None:
    [path] = public_reports.glob(f"{start}*.safetensors")
    assert inspection.inspect(path).report.accepted
