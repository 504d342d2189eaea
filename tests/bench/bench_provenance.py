"""`make bench-provenance`: recovery per attack, false accepts, copied marks, times, the log.

    python -m tests.bench.bench_provenance [--pictures N] [--unmarked N] [--leaves N]

One thread throughout; marking and decoding are counted in processor time, the log by the clock.
Writes docs/benchmarks/provenance.json.
"""

# ruff: noqa: E402 - threads must be counted before numpy is loaded, servers started before Django

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import argparse
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from time import perf_counter, process_time
from uuid import uuid4

import cv2
import django
import numpy as np
from numpy.typing import NDArray

django.setup()
cv2.setNumThreads(1)

from django.core.management import call_command
from django.db import connection

from provenance import likeness, log, marking, watermark
from provenance.installation import keyring
from tests.bench.report import Row, publish
from tests.provenance.attacks import ATTACKS, BEYOND, jpeg
from tests.provenance.pictures import PHOTOGRAPHS, drawing, photograph

Pixels = NDArray[np.uint8]
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SYSTEM = marking.SystemInfo("Proofsheet", "bench", "bench")
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


def psnr(marked: Pixels, pixels: Pixels) -> float:
    error = float(np.mean((marked.astype(np.float32) - pixels) ** 2))
    return 10 * float(np.log10(255**2 / error))


def recovery(count: int, side: int) -> Iterator[Row]:
    """Share of pictures whose whole identifier came back, per attack and over the main attacks."""
    key = keyring().watermark_key
    decode_ms: list[float] = []
    for kind, originals in pictures(count, side).items():
        marked = [watermark.embed(each, place, key=key) for place, each in enumerate(originals)]
        decibels = [psnr(*pair) for pair in zip(marked, originals, strict=True)]
        yield Row(
            f"psnr_{kind}_{side}", round(float(np.median(decibels)), 2), "dB",
            round(min(decibels), 2), round(max(decibels), 2), better="higher", must=42.0,
        )  # fmt: skip
        shares = {}
        for name, attack in (ATTACKS | BEYOND if side == 512 else ATTACKS).items():
            good = 0
            for place, each in enumerate(marked):
                changed = attack(each)
                start = process_time()
                found = watermark.detect(changed, key=key)
                decode_ms.append((process_time() - start) * 1000)
                good += found.identifier == place
            shares[name] = 100 * good / len(marked)
            yield Row(
                f"recovery_{name}_{kind}_{side}", round(shares[name], 1), "%", better="higher"
            )
        main = float(np.mean([shares[name] for name in ATTACKS]))
        yield Row(
            f"recovery_main_attacks_{kind}_{side}", round(main, 2), "%",
            better="higher", must=MUST[kind],
        )  # fmt: skip
    yield spread(f"decode_ms_{side}", decode_ms, must=400 if side == 512 else None)


def marking_times(count: int) -> Iterator[Row]:
    """Embed, encode, sign, fingerprint and thumbnail together, and its parts."""
    key = keyring().watermark_key
    whole: list[float] = []
    embed: list[float] = []
    encode: list[float] = []
    for pixels in [each for kind in pictures(count, 512).values() for each in kind]:
        asset = uuid4()

        def mark(pixels: Pixels = pixels) -> None:
            marked = marking.embed(pixels, asset_id=asset)  # noqa: B023 - called at once
            marking.seal(marked, asset_id=asset, created_at=NOW, system=SYSTEM)  # noqa: B023

        whole.append(timed(mark))
        marked = watermark.embed(pixels, 1, key=key)
        embed.append(timed(partial(watermark.embed, pixels, 1, key=key)))
        encode.append(timed(partial(marking.encode_png, marked)))
    yield spread("all_marking_ms_512", whole, must=45)
    yield spread("watermark_ms_512", embed)
    yield spread("png_encode_ms_512", encode)


def false_accepts(count: int) -> Iterator[Row]:
    """Decodes of pictures that carry no mark, each changed in another way."""
    key = keyring().watermark_key
    random = np.random.default_rng(3)
    accepted = 0
    took: list[float] = []
    sources = [photograph(name) for name in PHOTOGRAPHS] + [drawing(seed) for seed in range(30)]
    for number in range(count):
        pixels = sources[number % len(sources)]
        side = int(random.integers(200, 500))
        top, left = random.integers(0, 512 - side, 2)
        part = np.ascontiguousarray(pixels[top : top + side, left : left + side])
        changed = jpeg(part, int(random.integers(30, 95)))
        start = process_time()
        accepted += watermark.detect(changed, key=key).identifier is not None
        took.append((process_time() - start) * 1000)
    yield Row("false_accepts", accepted, f"of {count} unmarked decodes", must=0)
    yield spread("decode_unmarked_ms", took)


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
        distance = likeness.distance(forged, likeness.original_of(marked), found.geometry)
        accepted += found.identifier == place and distance is not None and distance <= 31
    yield Row("copied_marks_decoded", decoded, f"of {len(every)}", must=None)
    yield Row("copied_marks_called_ours", accepted, f"of {len(every)}", must=0)


def log_figures(leaves: int, seconds: float = 5.0) -> Iterator[Row]:
    """Appends by one and by eight clients beside one sequencer; proofs over `leaves` entries."""
    for clients in (1, 8):
        took, rate = _appends(clients, seconds)
        yield Row(
            f"appends_per_s_{clients}_clients", round(rate), "1/s",
            better="higher", must=4000 if clients == 8 else None,
        )  # fmt: skip
        p99 = round(float(np.quantile(took, 0.99)), 2)
        yield Row(f"append_ms_p99_{clients}_clients", p99, "ms", must=10 if clients == 8 else None)
    _fill(leaves)
    size = log.latest_checkpoint().tree_size
    random = np.random.default_rng(5)
    prove = [
        timed(lambda: log.prove_inclusion(int(random.integers(size))), perf_counter)
        for _ in range(200)
    ]
    yield spread(f"proof_ms_{size}_leaves", prove, must=2)


def _appends(clients: int, seconds: float) -> tuple[list[float], float]:
    took: list[float] = []
    stop = threading.Event()
    body = {"sha256": "0" * 64, "manifest_sha256": "1" * 64}

    def write() -> None:
        while not stop.is_set():
            start = perf_counter()
            log.append(kind="bench", subject=uuid4(), body=body, at=NOW)
            took.append((perf_counter() - start) * 1000)
        connection.close()

    def sequence() -> None:
        while not stop.wait(0.2):
            log.sequence(at=NOW)
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(clients)]
    threads.append(threading.Thread(target=sequence))
    start = perf_counter()
    for thread in threads:
        thread.start()
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    return took, len(took) / (perf_counter() - start)


def _fill(leaves: int) -> None:
    """Bring the log to at least this many entries, straight through the outbox."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH made AS (INSERT INTO provenance_logentry (kind, subject, body, at)"
            " SELECT 'bench', gen_random_uuid(), convert_to('{\"n\":' || n || '}', 'UTF8'), now()"
            " FROM generate_series(1, %s) n RETURNING id)"
            " INSERT INTO provenance_pendingentry (entry_id) SELECT id FROM made",
            [leaves],
        )
    log.sequence(at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=50, help="of each kind, at most 50")
    parser.add_argument("--large", type=int, default=10, help="of each kind at 1024 pixels")
    parser.add_argument("--unmarked", type=int, default=2000)
    parser.add_argument("--leaves", type=int, default=100_000)
    chosen = parser.parse_args()
    call_command("migrate", verbosity=0)
    rows = [
        *marking_times(min(chosen.pictures, 20)),
        *recovery(chosen.pictures, 512),
        *recovery(chosen.large, 1024),
        *copied_marks(min(chosen.pictures, 20)),
        *false_accepts(chosen.unmarked),
        *log_figures(chosen.leaves),
    ]
    publish("provenance", rows)


if __name__ == "__main__":
    main()
