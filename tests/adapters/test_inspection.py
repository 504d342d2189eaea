"""The vector set through the command, and what a report says beyond its verdict."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from numpy.typing import NDArray

from adapters.checks import inspection
from adapters.checks.inspection import Base
from adapters.formats import file_verdicts
from adapters.formats.lora_config import KEY, PeftSettings
from tests.adapters import vectors
from tests.adapters.files import arrays, write
from tests.adapters.vectors import GOOD, PEFT, Vector, pair
from tests.factories import make_model

ALL = [*vectors.accepted(), *vectors.refused()]
SHAPE: dict[str, Any] = {
    "accepted": bool, "code": (str, type(None)), "message": str, "advice": str, "format": str,
    "family": (str, type(None)), "rank": dict, "alpha": dict, "targets": dict, "tensors": int,
    "parameters": int, "bytes": int, "dtypes": list, "sha256": str, "warnings": list,
}  # fmt: skip


def run(path: Path, *, base: str | None = None) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    status = 0
    try:
        call_command("inspect_adapter", path, base=base, json=True, stdout=out)
    except SystemExit as end:
        status = int(end.code or 0)
    return status, json.loads(out.getvalue())


def inspect(content: bytes, folder: Path, **said: Any) -> inspection.Inspection:
    return inspection.inspect(write(folder / "adapter.safetensors", content), **said)


def test_the_set_is_large_enough() -> None:
    assert len({vector.name for vector in ALL}) >= 60
    assert len(ALL) == len({vector.name for vector in ALL})


@pytest.mark.parametrize("vector", ALL, ids=[vector.name for vector in ALL])
def test_judges(vector: Vector, tmp_path: Path) -> None:
    path = write(tmp_path / "adapter.safetensors", vector.content)
    status, report = run(path, base=vector.base)
    assert report["code"] == vector.code, report["message"]
    assert status == (0 if vector.code is None else 2)
    assert report["accepted"] is (vector.code is None)
    assert {name: report[name] for name in vector.expected} == vector.expected
    assert report.keys() == SHAPE.keys()
    assert all(isinstance(report[name], kind) for name, kind in SHAPE.items())
    assert report["message"]
    if vector.code:
        assert report["advice"]
        assert vector.code in file_verdicts.VERDICTS


def test_every_verdict_has_a_vector_or_a_test_of_its_own() -> None:
    by_other_tests = {"too_large", "rank_too_high", "no_model_here", "check_failed"}
    assert {vector.code for vector in ALL if vector.code} | by_other_tests == set(
        file_verdicts.VERDICTS
    )


def test_the_documentation_page_is_the_table() -> None:
    page = Path(settings.ROOT) / "docs" / "use" / "adapter-verdicts.md"
    assert page.read_text() == file_verdicts.page(), (
        "run `python -m adapters.formats.file_verdicts`"
    )


def test_rank_above_the_models_ceiling_is_refused_with_both_numbers(tmp_path: Path) -> None:
    base = Base("Small", Base.of_family("sd15").layout, rank_ceiling=3)
    report = inspect(arrays(GOOD), tmp_path, base=base).report
    assert report.code == "rank_too_high"
    assert "rank 4; the model allows 3" in report.message
    assert report.rank == 4


def test_a_file_above_the_limit_is_refused_unread(tmp_path: Path) -> None:
    report = inspect(arrays(GOOD), tmp_path, limit_bytes=100).report
    assert (report.code, report.tensors) == ("too_large", 0)


def test_missing_alphas_are_said_and_count_as_full_strength(tmp_path: Path) -> None:
    report = inspect(arrays(GOOD), tmp_path).report
    assert report.alpha["missing"] == 1
    assert report.alpha["scaling_max"] == 1.0
    assert any("no alpha" in warning for warning in report.warnings)


def test_rslora_and_alpha_pattern_are_read_from_the_peft_settings(tmp_path: Path) -> None:
    said = {
        "unet.r": 16,
        "unet.lora_alpha": 8,
        "unet.use_rslora": True,
        "unet.alpha_pattern": {"attn1.to_q": 4},
    }
    tensors = pair(f"unet.{vectors.K15}", (768, 320), ends=PEFT, rank=16)
    tensors |= pair(f"unet.{vectors.Q15}", (320, 320), ends=PEFT, rank=4)
    content = arrays(tensors, metadata={"lora_adapter_metadata": json.dumps(said)})
    by_layer = {
        module.target.layers[0].path: module for module in inspect(content, tmp_path).modules
    }
    assert by_layer[vectors.K15].scaling == 8 / 16**0.5
    assert by_layer[vectors.Q15].scaling == 4 / 4**0.5


def test_the_first_name_of_an_alpha_pattern_that_fits_counts_however_many_there_are() -> None:
    layers = Base.of_family("sdxl").layout.layers
    pattern = {f"no.such.layer{number}": 1 for number in range(40_000)}
    pattern |= {"to_q": 2, "^attn2.to_q": 3, "attn2.to_k": 5, "to_k": 7}
    said = {"unet.lora_alpha": 4, "unet.alpha_pattern": pattern}
    settings = PeftSettings.of({KEY: json.dumps(said)})
    started = time.monotonic()
    alphas = {layer.path: settings.alpha_of(layer) for layer in layers}
    assert time.monotonic() - started < 1
    block = "down_blocks.1.attentions.0.transformer_blocks.0.attn2"
    assert [alphas[f"{block}.to_{name}"] for name in ("q", "k", "v")] == [2, 5, 4]


@pytest.mark.parametrize(
    ("dtype", "up", "alpha"), [("f4", 3.4e38, 4.0), ("f8", 1e300, 4.0), ("f4", 1e34, 1e6)]
)
def test_numbers_that_become_infinite_when_they_are_used_are_refused(
    tmp_path: Path, dtype: str, up: float, alpha: float
) -> None:
    kind = np.dtype(dtype)
    tensors = {
        "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": np.ones((4, 1280), kind),
        "lora_unet_mid_block_attentions_0_proj_in.lora_up.weight": np.full((1280, 4), up, kind),
        "lora_unet_mid_block_attentions_0_proj_in.alpha": np.array(alpha, np.float32),
    }
    report = inspect(arrays(tensors), tmp_path).report
    assert report.code == "not_finite", report.message
    assert "unet.mid_block.attentions.0.proj_in" in report.message


def test_an_alpha_beyond_use_is_told_with_its_bounds(tmp_path: Path) -> None:
    """It is finite, so that the advice may not ask for a finite one alone."""
    stem = "lora_unet_mid_block_attentions_0_proj_in"
    tensors: dict[str, NDArray[Any]] = {
        f"{stem}.lora_down.weight": np.ones((4, 1280), np.float16),
        f"{stem}.lora_up.weight": np.ones((1280, 4), np.float16),
        f"{stem}.alpha": np.array(1e30, np.float32),
    }
    report = inspect(arrays(tensors), tmp_path).report
    assert report.code == "alpha_invalid"
    assert "1,000,000" in (report.advice or "")


def test_a_kind_is_named_with_its_article(tmp_path: Path) -> None:
    stem = "lora_unet_mid_block_attentions_0_proj_in"
    report = inspect(
        arrays({f"{stem}.oft_blocks": np.ones((4, 8, 8), np.float16)}), tmp_path
    ).report
    assert report.message.startswith("The adapter is an OFT")


def test_metadata_decides_nothing(tmp_path: Path) -> None:
    lie = {"ss_base_model_version": "sdxl_base_v1-0", "ss_network_dim": "128", "x": "y"}
    report = inspect(arrays(GOOD, metadata=lie), tmp_path).report
    assert (report.family, report.rank) == ("sd15", 4)
    assert report.metadata == {"ss_base_model_version": "sdxl_base_v1-0", "ss_network_dim": "128"}


def test_a_layer_that_shouts_is_named(tmp_path: Path) -> None:
    tensors: vectors.Arrays = {}
    for block in range(3):
        for name in ("to_q", "to_k", "to_v"):
            stem = f"lora_unet_down_blocks_{block}_attentions_0_transformer_blocks_0_attn1_{name}"
            side = 320 * (1, 2, 4)[block]
            tensors |= pair(stem, (side, side))
    loud = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_k.lora_up.weight"
    tensors[loud] = tensors[loud] * np.float16(200)
    report = inspect(arrays(tensors), tmp_path).report
    assert report.accepted
    [warning] = [text for text in report.warnings if "times as much" in text]
    assert "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_k" in warning


def test_an_adapter_without_effect_is_said_to_have_none(tmp_path: Path) -> None:
    silent = {name: array * np.float16("up" not in name) for name, array in GOOD.items()}
    assert any("changes nothing" in text for text in inspect(
        arrays(silent), tmp_path).report.warnings)  # fmt: skip


def test_unknown_names_are_listed_up_to_ten(tmp_path: Path) -> None:
    strange: vectors.Arrays = {}
    for number in range(13):
        strange |= pair(f"lora_unet_attic_{number}", (8, 8))
    report = inspect(arrays(GOOD | strange), tmp_path).report
    assert "13 names" in report.message
    assert "lora_unet_attic_9" in report.message
    assert "lora_unet_attic_10" not in report.message
    assert "and 3 more" in report.message


@pytest.mark.django_db
def test_command_takes_a_registered_model_as_base(tmp_path: Path) -> None:
    make_model(family="sd15", rank_ceiling=2, name="Small one")
    status, report = run(write(tmp_path / "a.safetensors", arrays(GOOD)), base="tiny")
    assert (status, report["code"]) == (2, "rank_too_high")


def test_command_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CommandError, match="is a pipe: give the name of a file"):
        call_command("inspect_adapter", tmp_path / "pipe")


@pytest.mark.django_db
def test_command_says_it_in_words_too(tmp_path: Path) -> None:
    out = StringIO()
    path = write(tmp_path / "a.safetensors", arrays(GOOD))
    call_command("inspect_adapter", path, stdout=out)
    assert "accepted" in out.getvalue()
    assert "Stable Diffusion 1.5" in out.getvalue()
    with pytest.raises(CommandError, match="neither a registered model nor a family"):
        call_command("inspect_adapter", path, base="nonesuch")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("inspect_adapter", tmp_path / "absent")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("inspect_adapter", tmp_path)


def test_a_pickle_with_a_payload_is_judged_and_not_executed(tmp_path: Path) -> None:
    witness = tmp_path / "executed"

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (witness,))

    for end in ("pt", "ckpt", "bin", "safetensors"):
        path = write(tmp_path / f"adapter.{end}", pickle.dumps(Payload()))
        assert run(path)[1]["code"] == "not_safetensors"
    assert not witness.exists()


def hole(path: Path) -> Path:
    """A gigabyte that is not there behind a lawful header that names a layer of no model."""
    header = json.dumps({"x.lora_A.weight": {
        "dtype": "F16", "shape": [2**19, 2**10], "data_offsets": [0, 2**30]}}).encode()  # fmt: skip
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 2**30)
    return path


def crowd(path: Path) -> Path:
    """The largest header that is read at all, full of the smallest entries."""
    entry = '"%x":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + ",".join(entry % number for number in range(140_000)).encode() + b"}"
    return write(path, len(header).to_bytes(8, "little") + header)


def huge_json(path: Path) -> Path:
    with path.open("wb") as file:
        file.write((100_000_000).to_bytes(8, "little") + b"{")
        file.truncate(100_000_008)
    return path


def claim(path: Path) -> Path:
    return write(path, (2**63).to_bytes(8, "little") + b"{}")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (hole, "incomplete_pair"),
        (crowd, "header_invalid"),
        (huge_json, "header_invalid"),
        (claim, "not_safetensors"),
    ],
)
def test_a_refusal_in_the_header_takes_no_second_and_fits_into_256_mib(
    make: Callable[[Path], Path], code: str, tmp_path: Path
) -> None:
    """The whole process, libraries included, at its highest; the processor's time for the file."""
    script = (
        "import re, sys, time\n"
        "from pathlib import Path; from adapters.checks import inspection\n"
        "began = time.process_time()\n"
        "report = inspection.inspect(Path(sys.argv[1])).report\n"
        "seconds = time.process_time() - began\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())\n"
        "print(report.code, int(peak[1]) // 1024, seconds)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, make(tmp_path / "hostile.safetensors")],
        capture_output=True, text=True, check=True, cwd=settings.ROOT,
    )  # fmt: skip
    found, mib, seconds = done.stdout.split()
    assert found == code
    assert int(mib) < 256
    assert float(seconds) < 1


def test_file_whose_digest_is_known_is_not_hashed_again(tmp_path: Path) -> None:
    known = "ab" * 32
    assert inspect(arrays(GOOD), tmp_path, sha256=known).report.sha256 == known
    data = (tmp_path / "adapter.safetensors").read_bytes()
    fresh = inspect(arrays(GOOD), tmp_path).report.sha256
    assert fresh == hashlib.sha256(data).hexdigest()
