"""`make bench-provenance`: recovery per attack, false accepts, copied marks, times, the log.

    python -m tests.bench.bench_provenance [--quick] [--pictures N] [--unmarked N] [--leaves N]
    python -m tests.bench.bench_provenance --only log    (replaces those rows alone)
    python -m tests.bench.bench_provenance --only edits  (pictures that were edited or turned)
    python -m tests.bench.bench_provenance --only copies (marks copied onto nearly the same)
    python -m tests.bench.bench_provenance --only unseen (both, on pictures no rule was chosen on)
    python -m tests.bench.bench_provenance --only fourth (the same on later ones, see ADR 120)
    python -m tests.bench.bench_provenance --only fifth  (and on later ones again, see ADR 137)
    python -m tests.bench.bench_provenance --only sixth  (and on those of ADR 118)
    python -m tests.bench.bench_provenance --only seventh (and on those of ADR 157)
    python -m tests.bench.bench_provenance --only eighth (and on the last ones, see ADR 166)
    python -m tests.bench.bench_provenance --only attacker (fifty pictures, programs, tilts)

One thread throughout; marking and decoding are counted in processor time, the log by the clock.
Writes docs/benchmarks/provenance.json.
"""

# ruff: noqa: E402 - threads must be counted before numpy is loaded, servers started before Django

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.bench_provenance_settings")

import argparse
import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from time import process_time
from uuid import UUID, uuid4

import cv2
import django
import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

django.setup()
cv2.setNumThreads(1)

from django.core.management import call_command

from provenance.assets import marking
from provenance.keys.installed_keys import keyring
from provenance.marks import perceptual_match, watermark
from tests.bench import (
    eighth_pictures,
    fifth_pictures,
    fourth_pictures,
    seventh_pictures,
    sixth_pictures,
    unseen_pictures,
)
from tests.bench.bench_provenance_attacker import attacker_figures
from tests.bench.bench_provenance_copies import copy_figures
from tests.bench.bench_provenance_edits import edit_figures
from tests.bench.bench_provenance_log import log_figures
from tests.bench.bench_provenance_unseen import SealedSet, unseen_figures
from tests.bench.report import ROOT, Row, print_table, publish
from tests.provenance.attacks import ATTACKS, BEYOND, Attack, jpeg
from tests.provenance.pictures import PHOTOGRAPHS, drawing, photograph

Pixels = NDArray[np.uint8]
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SYSTEM = marking.SystemInfo("Proofsheet", "bench", "bench")
BENCH_PYTHON = ROOT / "var" / "bench" / "venv" / "bin" / "python"
UNMARKED_KEY = b"a key that marked none of these pictures"
KEPT_EVERY = 1000
SEALED_SETS: tuple[SealedSet, ...] = (
    unseen_pictures, fourth_pictures, fifth_pictures, sixth_pictures, seventh_pictures,
    eighth_pictures,
)  # fmt: skip
MUST = {"photographs": 95.0, "drawings": 99.0}


def cut(pixels: Pixels, number: int) -> Pixels:
    """Another picture out of a photograph: one of its corners, enlarged, every other mirrored."""
    if number == 0:
        return pixels
    side = pixels.shape[0] * 5 // 8
    top, left = ((number - 1) // 2 % 2) * side * 3 // 5, ((number - 1) % 2) * side * 3 // 5
    part = pixels[top : top + side, left : left + side]
    shape = (pixels.shape[1], pixels.shape[0])
    larger = cv2.resize(part, shape, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(larger[:, ::-1] if number % 2 else larger)


def pictures(count: int, side: int) -> dict[str, list[Pixels]]:
    """`count` of each kind."""
    names = [(name, number) for number in range(5) for name in PHOTOGRAPHS][:count]
    return {
        "photographs": [cut(photograph(name, side), number) for name, number in names],
        "drawings": [drawing(seed, side) for seed in range(count)],
    }


def timed(work: Callable[[], object], clock: Callable[[], float] = process_time) -> float:
    """Milliseconds; of processor time, which other work on the machine does not lengthen."""
    start = clock()
    work()
    return (clock() - start) * 1000


def spread(name: str, values: list[float], unit: str = "ms", must: float | None = None) -> Row:
    """Median with the fifth and ninety-fifth percentile as its range."""
    low, middle, high = (float(np.quantile(values, share)) for share in (0.05, 0.5, 0.95))
    return Row(name, round(middle, 3), unit, round(low, 3), round(high, 3), must=must)


def ssim(marked: Pixels, pixels: Pixels) -> float:
    return float(structural_similarity(marked, pixels, channel_axis=2))  # type: ignore[no-untyped-call]  # scikit-image has no types


def psnr(marked: Pixels, pixels: Pixels) -> float:
    error = float(np.mean((marked.astype(np.float32) - pixels) ** 2))
    return 10 * float(np.log10(255**2 / error))


def recovery(kind: str, originals: list[Pixels], attacks: dict[str, Attack]) -> Iterator[Row]:
    """Share of pictures whose whole identifier came back, per attack and over the main attacks."""
    key = keyring().watermark_key
    decode_ms: list[float] = []
    marked = [watermark.embed(each, place, key=key) for place, each in enumerate(originals)]
    ending = f"{kind}_{originals[0].shape[0]}"
    decibels = [psnr(*pair) for pair in zip(marked, originals, strict=True)]
    yield Row(
        f"psnr_{ending}", round(float(np.median(decibels)), 2), "dB",
        round(min(decibels), 2), round(max(decibels), 2), better="higher", must=42.0,
    )  # fmt: skip
    like = [ssim(*pair) for pair in zip(marked, originals, strict=True)]
    yield Row(f"ssim_{ending}", round(float(np.median(like)), 4), "", better="higher")
    shares = {}
    for name, attack in attacks.items():
        good = 0
        for place, each in enumerate(marked):
            changed = attack(each)
            start = process_time()
            found = watermark.detect(changed, key=key)
            decode_ms.append((process_time() - start) * 1000)
            good += found.identifier == place
        shares[name] = 100 * good / len(marked)
        yield Row(f"recovery_{name}_{ending}", round(shares[name], 1), "%", better="higher")
    if set(attacks) >= set(ATTACKS):
        main = float(np.mean([shares[name] for name in ATTACKS]))
        yield Row(
            f"recovery_main_attacks_{ending}", round(main, 2), "%",
            better="higher", must=MUST[kind],
        )  # fmt: skip
        yield spread(f"decode_ms_{ending}", decode_ms, must=400 if "512" in ending else None)


def recoveries(count: int, large: int, beyond: int) -> Iterator[Row]:
    """The main attacks on all pictures and on some large ones, the harder ones on the first few."""
    for kind, originals in pictures(count, 512).items():
        yield from recovery(kind, originals, ATTACKS)
    for kind, originals in pictures(large, 1024).items():
        yield from recovery(kind, originals, ATTACKS)
    for kind, originals in pictures(beyond, 512).items():
        for row in recovery(kind, originals, BEYOND):
            if row.name.startswith("recovery_"):
                yield row


def compared(count: int, slow_count: int) -> Iterator[Row]:
    """Our mark and the libraries' on the same pictures, one after the other in one process."""
    command = [BENCH_PYTHON, "-W", "ignore", "-m", "tests.bench.watermark_contenders"]
    done = subprocess.run(
        [*map(str, command), str(count), str(slow_count)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name, kinds in json.loads(done.stdout).items():
        for kind, figures in kinds.items():
            ending = f"{kind}_{name}_of_{figures['pictures']}"
            shares = figures["recovered"]
            for attack, share in shares.items():
                yield Row(f"{attack}_{ending}", round(share, 1), "%", better="higher")
            mean = sum(shares.values()) / len(shares)
            yield Row(f"main_attacks_{ending}", round(mean, 1), "%", better="higher")
            yield Row(f"psnr_{ending}", round(figures["psnr_db"], 2), "dB", better="higher")
            yield Row(f"embed_ms_{ending}", round(figures["embed_ms"], 1), "ms")
            yield Row(f"read_ms_{ending}", round(figures["read_ms"], 1), "ms")


def marking_times(count: int) -> Iterator[Row]:
    """Embed, encode, sign, fingerprint and thumbnail together, and its parts."""
    key = keyring().watermark_key
    whole: list[float] = []
    embed: list[float] = []
    encode: list[float] = []
    for pixels in [each for kind in pictures(count, 512).values() for each in kind]:
        asset = uuid4()

        def mark(pixels: Pixels = pixels, asset: UUID = asset) -> None:
            marked = marking.embed(pixels, asset_id=asset)
            marking.seal(marked, asset_id=asset, created_at=NOW, system=SYSTEM)

        whole.append(timed(mark))
        marked = watermark.embed(pixels, 1, key=key)
        embed.append(timed(partial(watermark.embed, pixels, 1, key=key)))
        encode.append(timed(partial(marking.encode_png, marked)))
    yield spread("all_marking_ms_512", whole, must=45)
    yield spread("watermark_ms_512", embed)
    yield spread("png_encode_ms_512", encode)


def false_accepts(count: int) -> Iterator[Row]:
    """Decodes of pictures that carry no mark, each changed in another way; all cores count, one
    alone is timed.

    An hour and more for the target's own number: what is done is kept in var/bench, and a run that
    was broken off goes on from there.
    """
    yield spread("decode_unmarked_ms", [decode_unmarked(n)[1] for n in range(min(count, 200))])
    keeper = ROOT / "var" / "bench" / f"unmarked-{count}.json"
    done, accepted = json.loads(keeper.read_text()) if keeper.exists() else (0, 0)
    with ProcessPoolExecutor() as pool:
        for first in range(done, count, KEPT_EVERY):
            numbers = range(first, min(first + KEPT_EVERY, count))
            decoded = pool.map(decode_unmarked, numbers, chunksize=50)
            accepted += sum(is_accepted for is_accepted, _ in decoded)
            if count >= KEPT_EVERY:
                keeper.write_text(json.dumps([numbers.stop, accepted]))
    yield Row("false_accepts", accepted, f"of {count} unmarked decodes", must=0)


def decode_unmarked(number: int) -> tuple[bool, float]:
    """Whether a mark is found where none is, and the milliseconds of processor time."""
    sources = unmarked_sources()
    changed = changed_cut(sources[number % len(sources)], number)
    start = process_time()
    found = watermark.detect(changed, key=UNMARKED_KEY)
    return found.identifier is not None, (process_time() - start) * 1000


@cache
def unmarked_sources() -> list[Pixels]:
    return [photograph(name) for name in PHOTOGRAPHS] + [drawing(seed) for seed in range(30)]


def changed_cut(pixels: Pixels, number: int) -> Pixels:
    """A square cut-out saved as JPEG; place, size and quality belong to the number."""
    random = np.random.default_rng((3, number))
    side = int(random.integers(200, 500))
    top, left = random.integers(0, 512 - side, 2)
    part = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    return jpeg(part, int(random.integers(30, 95)))


def copied_marks(count: int) -> Iterator[Row]:
    """Residuals pasted onto other pictures: how many decode, and how many pass as ours."""
    key = keyring().watermark_key
    every = [each for kind in pictures(count, 512).values() for each in kind]
    decoded = accepted = 0
    for place, pixels in enumerate(every):
        marked = watermark.embed(pixels, place, key=key)
        victim = every[(place + 7) % len(every)]
        residual = marked.astype(int) - pixels
        forged = np.clip(victim + residual, 0, 255).astype(np.uint8)
        found = watermark.detect(forged, key=key)
        decoded += found.identifier == place
        compared = perceptual_match.compare(forged, perceptual_match.original_of(marked), found)
        accepted += found.identifier == place and compared is not None and compared.is_same
    yield Row("copied_marks_decoded", decoded, f"of {len(every)}", must=None)
    yield Row("copied_marks_called_ours", accepted, f"of {len(every)}", must=0)


def log_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from log_figures(chosen.leaves, 0.5 if chosen.quick else 5.0, spread)


def marking_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from marking_times(min(chosen.pictures, 20))


def recovery_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from recoveries(chosen.pictures, chosen.large, chosen.beyond)


def compared_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from compared(min(chosen.pictures, 10), min(chosen.pictures, 4))


def copied_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from copied_marks(min(chosen.pictures, 20))


def edits_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from edit_figures(chosen.half, chosen.forged, keyring().watermark_key)


def copies_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from copy_figures(chosen.half, keyring().watermark_key)


def sealed_part(sealed: SealedSet, chosen: argparse.Namespace) -> Iterator[Row]:
    yield from unseen_figures(sealed)


def attacker_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from attacker_figures(keyring().watermark_key, every=chosen.every, strewn=chosen.strewn)


def unmarked_part(chosen: argparse.Namespace) -> Iterator[Row]:
    yield from false_accepts(chosen.unmarked)


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "log": log_part,
    "marking": marking_part,
    "recovery": recovery_part,
    "compared": compared_part,
    "copied": copied_part,
    "edits": edits_part,
    "copies": copies_part,
    **{each.NAME: partial(sealed_part, each) for each in SEALED_SETS},
    "attacker": attacker_part,
    "unmarked": unmarked_part,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=50, help="of each kind, at most 50")
    parser.add_argument("--large", type=int, default=5, help="of each kind at 1024 pixels")
    parser.add_argument("--beyond", type=int, default=8, help="of each kind for the harder attacks")
    parser.add_argument("--unmarked", type=int, default=300)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--forged", type=int, default=1000, help="copied marks beside the edits")
    parser.add_argument("--every", type=int, default=1, help="so many pictures for the attacker")
    parser.add_argument("--strewn", type=int, default=1000, help="unmarked ones laid over")
    parser.add_argument("--half", choices=("sealed", "chosen"), default="sealed")
    parser.add_argument("--quick", action="store_true", help="a few of everything, unpublished")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    chosen = parser.parse_args()
    if chosen.quick:
        little = {"pictures": 1, "large": 1, "beyond": 1, "unmarked": 3, "leaves": 2000}
        little |= {"forged": 10, "every": 24, "strewn": 10}
        chosen = argparse.Namespace(**vars(chosen) | little)
    call_command("migrate", verbosity=0)
    rows = [row for name in chosen.only for row in PARTS[name](chosen)]
    if chosen.quick:
        print_table(rows)
        return
    publish("provenance", rows, keeps_others=len(chosen.only) < len(PARTS))


if __name__ == "__main__":
    main()
