"""Time and memory of judging and refitting adapter files; writes docs/benchmarks/adapters.json.

Header verdicts and the full pass alternate with what they are compared with, in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # more threads than free cores are slower, not faster

import numpy as np

from adapters.checks import inspection, rewrite
from adapters.checks.inspection import Base
from adapters.checks.rewrite import TensorSource
from adapters.formats.target_modules import Layer, of_family
from tests.bench.report import ROOT, Row, publish

ROUNDS = 5
REFITS = 2
SIZES = {"10_mb": 10, "200_mb": 200, "1_gb": 1000}
CHUNK = 4 * 1024 * 1024
LAYERS = [layer for layer in of_family("sdxl").layers if layer.is_served]
UNET = [layer for layer in LAYERS if layer.component == "unet"]
ATTENTION = [layer for layer in UNET if ".attn" in layer.path]


def write_adapter(path: Path, rank: int, *, layers: Sequence[Layer], is_sparse: bool) -> Path:
    """An SDXL adapter of a rank; `is_sparse` leaves the data a hole, for what never reads it."""
    entries: dict[str, object] = {}
    begin = 0
    for layer in layers:
        for half, shape in (("A", [rank, layer.inputs]), ("B", [layer.outputs, rank])):
            end = begin + 2 * shape[0] * shape[1]
            entries[f"unet.{layer.path}.lora_{half}.weight"] = {
                "dtype": "F16", "shape": shape, "data_offsets": [begin, end],
            }  # fmt: skip
            begin = end
    text = json.dumps(entries).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        if is_sparse:
            file.truncate(8 + len(text) + begin)
            return path
        rng = np.random.default_rng(0)
        block = (rng.standard_normal(2**21) * 0.05).astype("<f2").tobytes()
        while begin:
            begin -= file.write(block[:begin])
    return path


def rank_for(megabytes: int) -> int:
    sides = sum(layer.inputs + layer.outputs for layer in UNET)
    return max(1, round(megabytes * 10**6 / (2 * sides)))


def judge_header(path: Path) -> None:
    """A verdict that needs the header alone: the rank is above a ceiling of nothing."""
    base = Base("SDXL", of_family("sdxl"), rank_ceiling=0)
    assert inspection.inspect(path, base=base).report.code == "rank_too_high"


def validate(path: Path) -> None:
    report = inspection.inspect(path, base=Base.of_family("sdxl")).report
    assert report.accepted, report.message


def read_through(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(CHUNK):
            pass


def refit(path: Path) -> None:
    found = inspection.inspect(path, base=Base.of_family("sdxl"))
    assert found.header is not None
    source = TensorSource(path, found.header, found.modules)
    rewrite.write(source, path.with_suffix(".fitted"), rank=64)


WORK: dict[str, Callable[[Path], None]] = {
    "header": judge_header,
    "validate": validate,
    "refit": refit,
}


def timed(work: Callable[[Path], None], path: Path) -> float:
    started = perf_counter()
    work(path)
    return perf_counter() - started


@dataclass(frozen=True, slots=True)
class Alone:
    """One piece of work in a fresh process that does nothing else; its highest resident memory."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def alone(work: str, path: Path) -> Alone:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_adapters", "--only", work, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Alone(*json.loads(done.stdout))


def work_alone(work: str, path: Path) -> None:
    """Print the figures of `Alone`."""
    before = process_time()
    seconds = timed(WORK[work], path)
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+)", status)
    assert peak, "Linux always says VmHWM"
    print(json.dumps([seconds, process_time() - before, int(peak[1]) / 1024]))


def row(name: str, values: list[float], unit: str, **said: Any) -> Row:
    return Row(name, median(values), unit, min(values), max(values), **said)


def headers(folder: Path) -> list[Row]:
    files = {
        name: write_adapter(folder / name, rank_for(size), layers=UNET, is_sparse=True)
        for name, size in SIZES.items()
    }
    times: dict[str, list[float]] = {name: [] for name in files}
    for path in files.values():
        judge_header(path)
    for _ in range(ROUNDS):
        for name, path in files.items():
            times[name].append(1000 * timed(judge_header, path))
    ratios = [large / small for large, small in zip(times["1_gb"], times["10_mb"], strict=True)]
    rows = [row(f"header_verdict_ms_{name}", values, "ms") for name, values in times.items()]
    against = "the verdict on a 10 MB file of as many tensors, alternating"
    rows.append(row("header_verdict_1_gb_over_10_mb", ratios, "x", must=1.2, against=against))
    peak = alone("header", files["1_gb"]).peak_mib
    return [*rows, Row("header_peak_mib_1_gb", peak, "MiB", must=256)]


def passes(folder: Path) -> list[Row]:
    path = write_adapter(folder / "real", rank_for(200), layers=UNET, is_sparse=False)
    size = path.stat().st_size / 2**20
    full, plain, work = [], [], []
    validate(path)
    for _ in range(ROUNDS):
        plain.append(size / timed(read_through, path))
        worked = process_time()
        full.append(size / timed(validate, path))
        work.append(size / (process_time() - worked))
    ratios = [mine / bare for mine, bare in zip(full, plain, strict=True)]
    against = "reading the same file front to back, alternating (both from the page cache)"
    return [
        row("validation_mib_per_s", full, "MiB/s", better="higher", against=against),
        row("validation_mib_per_cpu_s", work, "MiB/s", better="higher",
            against="the same passes by processor time, which other work does not stretch"),
        row("sequential_read_mib_per_s", plain, "MiB/s", better="higher"),
        row("validation_over_sequential_read", ratios, "x", better="higher", against=against),
        Row("validation_peak_mib", alone("validate", path).peak_mib, "MiB"),
    ]  # fmt: skip


def refits(folder: Path) -> list[Row]:
    path = write_adapter(folder / "high", 128, layers=ATTENTION, is_sparse=False)
    runs = [alone("refit", path) for _ in range(REFITS)]
    layers = f"{len(ATTENTION)} attention layers, one process, one thread"
    return [
        row("refit_sdxl_128_to_64_s", [run.seconds for run in runs], "s", against=layers),
        row("refit_sdxl_128_to_64_cpu_s", [run.cpu_seconds for run in runs], "s",
            against="the same by processor time"),
        Row("refit_peak_mib", max(run.peak_mib for run in runs), "MiB"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", nargs=2, metavar=("WORK", "FILE"), help="print seconds and memory"
    )
    only = parser.parse_args().only
    if only:
        work_alone(only[0], Path(only[1]))
        return
    with tempfile.TemporaryDirectory(dir=ROOT / "var") as folder:
        place = Path(folder)
        rows: list[Row] = []
        for part in (headers, passes, refits):
            rows += part(place)
            publish("adapters", rows)  # after each part: a slow machine keeps what it has


if __name__ == "__main__":
    main()
