"""Rows on pictures that were edited or turned, and on marks copied onto other pictures.

A picture counts as ours where its own mark is read and its record is found to show the same: what
the verify page asks, without the log. Its overlap (IoU) is that of the boxes that are told with
what was edited. A mark that is copied onto a picture which the fingerprint's own paper takes for
the same (31 bits) is counted apart: that picture is no other.
"""

from collections import defaultdict
from collections.abc import Iterator
from time import process_time

import numpy as np

from provenance.marks import fingerprint, perceptual_match, watermark
from provenance.marks.changed_parts import ChangedPart
from provenance.marks.perceptual_match import Comparison, Original
from tests.bench import local_edits
from tests.bench.local_edits import EDITS, TARGETED, Edited, Half, Mask, Named, Pixels
from tests.bench.report import Row

MUST_PERCENT = 98.0


def edit_figures(half: Half, forged: int, key: bytes) -> Iterator[Row]:
    kinds = {
        "photographs": local_edits.of_half(local_edits.photographs(), half),
        "starter": local_edits.of_half(local_edits.starter_pictures(), half),
        "textures": local_edits.photographs(local_edits.TEXTURES),
    }
    for kind, pictures in kinds.items():
        yield from _edits(kind, half, pictures, key)
    yield from _copied(half, forged, key)


def _edits(kind: str, half: Half, pictures: list[Named], key: bytes) -> Iterator[Row]:
    good: defaultdict[str, int] = defaultdict(int)
    overlaps: defaultdict[str, list[float]] = defaultdict(list)
    told_for_nothing, milliseconds = 0, []
    for number, picture in enumerate(pictures):
        marked = Named(picture.name, watermark.embed(picture.pixels, number, key=key))
        original = perceptual_match.original_of(marked.pixels)
        foreign = pictures[(number + 5) % len(pictures)].pixels
        for name in EDITS:
            edited = local_edits.edited(half, marked, foreign, name)
            start = process_time()
            compared = _compared(edited.pixels, number, original, key)
            milliseconds.append(1000 * (process_time() - start))
            good[name] += compared is not None
            if edited.mask.any():
                overlaps[name].append(_overlap(compared, edited))
            elif compared is not None and compared.changed:
                told_for_nothing += 1
    ending = f"{kind}_{half}"
    must = MUST_PERCENT if kind != "textures" else None
    for name in EDITS:
        share = 100 * good[name] / len(pictures)
        found = overlaps[name]
        yield Row(
            f"ours_{name}_{ending}", round(share, 1), f"% of {len(pictures)}", better="higher"
        )
        if found:
            yield _overlap_row(f"overlap_{name}_{ending}", found)
    total, count = sum(good[name] for name in TARGETED), len(TARGETED) * len(pictures)
    yield Row(
        f"ours_edited_or_turned_{ending}", round(100 * total / count, 2), f"% of {count}",
        better="higher", must=must,
    )  # fmt: skip
    yield Row(f"parts_told_of_unedited_{ending}", told_for_nothing, f"of {8 * len(pictures)}")
    low, middle, high = (round(float(np.quantile(milliseconds, at)), 1) for at in (0.05, 0.5, 0.95))
    yield Row(f"detect_and_compare_ms_{ending}", middle, "ms", low, high)


def _compared(pixels: Pixels, number: int, original: Original, key: bytes) -> Comparison | None:
    """The comparison with the record that the mark leads to; None where it is not called ours."""
    found = watermark.detect(pixels, key=key)
    if found.identifier != number:
        return None
    compared = perceptual_match.compare(pixels, original, found)
    return compared if compared is not None and compared.is_same else None


def _overlap_row(name: str, found: list[float]) -> Row:
    middle, low, high = (round(float(each), 3) for each in np.quantile(found, (0.5, 0.05, 0.95)))
    return Row(name, middle, "IoU", low, high, better="higher")


def _overlap(compared: Comparison | None, edited: Edited) -> float:
    told = mask_of(() if compared is None else compared.changed, edited.mask.shape)
    return float((told & edited.mask).sum() / (told | edited.mask).sum())


def mask_of(parts: tuple[ChangedPart, ...], shape: tuple[int, ...]) -> Mask:
    """Parts that are told as shares, as bool [H, W]."""
    height, width = shape
    mask = np.zeros((height, width), bool)
    for part in parts:
        top, left = round(part.top * height), round(part.left * width)
        bottom = round((part.top + part.height) * height)
        mask[top:bottom, left : round((part.left + part.width) * width)] = True
    return mask


def _copied(half: Half, count: int, key: bytes) -> Iterator[Row]:
    """Residuals pasted onto other pictures: how many are read, and how many are called ours."""
    read = called_ours = same = others = 0
    marked: dict[str, tuple[int, Pixels, Original]] = {}
    for source, victim, strength in local_edits.copied_marks(half, count):
        if source.name not in marked:
            pixels = watermark.embed(source.pixels, len(marked), key=key)
            marked[source.name] = len(marked), pixels, perceptual_match.original_of(pixels)
        number, pixels, original = marked[source.name]
        residual = pixels.astype(int) - source.pixels
        forged = np.clip(victim + strength * residual, 0, 255).astype(np.uint8)
        if fingerprint.distance(fingerprint.pdq(victim), original.fingerprint) <= 31:
            same += 1
            continue
        others += 1
        read += watermark.detect(forged, key=key).identifier == number
        called_ours += _compared(forged, number, original, key) is not None
    yield Row(f"marks_copied_read_{half}", read, f"of {others}")
    yield Row(f"marks_copied_called_ours_{half}", called_ours, f"of {others}", must=0)
    yield Row(f"marks_copied_onto_the_same_picture_{half}", same, f"of {count}")
