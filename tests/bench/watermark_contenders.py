"""Our watermark and the libraries' on the same pictures and attacks, as JSON on standard output.
Runs in an environment that has the libraries (requirements-bench.txt).

    python -m tests.bench.watermark_contenders PICTURES PICTURES_FOR_RIVAGAN

A library's decoder knows no geometry, so it gets the attacked picture back at the size at which it
was marked. Ours gets it as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

import blind_watermark  # type: ignore[import-not-found]  # it has an environment of its own
import cv2
import numpy as np
from imwatermark import (  # type: ignore[import-not-found]  # it has an environment of its own
    WatermarkDecoder,
    WatermarkEncoder,
)
from numpy.typing import NDArray

from provenance.marks import watermark
from tests.provenance.attacks import ATTACKS
from tests.provenance.pictures import PHOTOGRAPHS, drawing, photograph

Pixels = NDArray[np.uint8]
Bits = NDArray[np.uint8]
KEY = b"a key for a comparison"
SIDE = 512


@dataclass(frozen=True)
class Contender:
    """`embed` and `read` take RGB pixels; `read` says the bits, or None."""

    bits: int
    embed: Callable[[Pixels, Bits], Pixels]
    read: Callable[[Pixels], Bits | None]


def _bgr(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., ::-1])


def _at_marked_size(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


def ours() -> Contender:
    def embed(pixels: Pixels, bits: Bits) -> Pixels:
        return watermark.embed(pixels, int.from_bytes(np.packbits(bits).tobytes()), key=KEY)

    def read(pixels: Pixels) -> Bits | None:
        found = watermark.detect(pixels, key=KEY).identifier
        if found is None:
            return None
        return np.unpackbits(np.frombuffer(found.to_bytes(8), np.uint8))

    return Contender(64, embed, read)


def invisible(method: str, bits: int) -> Contender:
    def embed(pixels: Pixels, message: Bits) -> Pixels:
        encoder = WatermarkEncoder()
        encoder.set_watermark("bits", message.tolist())
        return np.asarray(encoder.encode(_bgr(pixels), method), np.uint8)[..., ::-1]

    def read(pixels: Pixels) -> Bits | None:
        found = WatermarkDecoder("bits", bits).decode(_bgr(_at_marked_size(pixels)), method)
        return np.asarray(found, np.uint8)

    return Contender(bits, embed, read)


def blind() -> Contender:
    blind_watermark.bw_notes.close()  # its greeting would be read as a figure

    def embed(pixels: Pixels, message: Bits) -> Pixels:
        mark = blind_watermark.WaterMark(password_img=1, password_wm=1)
        mark.read_img(img=_bgr(pixels))
        mark.read_wm(message.astype(bool), mode="bit")
        marked: NDArray[np.float64] = mark.embed()
        return np.clip(np.rint(marked), 0, 255).astype(np.uint8)[..., ::-1]

    def read(pixels: Pixels) -> Bits | None:
        mark = blind_watermark.WaterMark(password_img=1, password_wm=1)
        image = _bgr(_at_marked_size(pixels))
        found = mark.extract(embed_img=image, wm_shape=64, mode="bit")
        return (np.asarray(found) > 0.5).astype(np.uint8)

    return Contender(64, embed, read)


def compared(contender: Contender, pictures: list[Pixels]) -> dict[str, object]:
    """Share of whole payloads after each attack, decibels, and milliseconds of processor time."""
    random = np.random.default_rng(5)
    decibels, embed_ms, read_ms = [], [], []
    marked: list[tuple[Pixels, Bits]] = []
    for pixels in pictures:
        message = random.integers(0, 2, contender.bits).astype(np.uint8)
        start = process_time()
        result = np.ascontiguousarray(contender.embed(pixels, message))
        embed_ms.append((process_time() - start) * 1000)
        error = np.mean((result.astype(np.float32) - pixels) ** 2)
        decibels.append(10 * np.log10(255**2 / error))
        marked.append((result, message))
    recovered = {}
    for name, attack in ATTACKS.items():
        good = 0
        for result, message in marked:
            changed = attack(result)
            start = process_time()
            found = contender.read(changed)
            read_ms.append((process_time() - start) * 1000)
            good += found is not None and bool((found == message).all())
        recovered[name] = 100 * good / len(marked)
    return {
        "recovered": recovered,
        "psnr_db": float(np.median(decibels)),
        "embed_ms": float(np.median(embed_ms)),
        "read_ms": float(np.median(read_ms)),
        "pictures": len(pictures),
    }


def main() -> None:
    count, slow_count = (int(each) for each in sys.argv[1:3])
    cv2.setNumThreads(1)
    WatermarkEncoder.loadModel()
    contenders = {
        "ours": (ours(), count),
        "blind_watermark": (blind(), count),
        "dwtdctsvd": (invisible("dwtDctSvd", 64), count),
        "rivagan": (invisible("rivaGan", 32), slow_count),
    }
    figures: dict[str, dict[str, dict[str, object]]] = {}
    for name, (contender, number) in contenders.items():
        figures[name] = {
            "photographs": compared(contender, [photograph(each) for each in PHOTOGRAPHS[:number]]),
            "drawings": compared(contender, [drawing(seed) for seed in range(number)]),
        }
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
