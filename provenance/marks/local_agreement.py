"""Where two pictures of the same size agree, place by place. Pure.

Both are small. What differs in tone as a whole (a brighter screen, another gamma, a filter over all
colours) is fitted and taken out first; then every neighbourhood is compared like the structure term
of SSIM (Wang et al. 2004), its mean included, in brightness and then in colour. A picture that was
changed in one part disagrees there and agrees everywhere else; another picture agrees almost
nowhere, and one that only resembles it disagrees a little in all of its detail. So places that lie
between others that disagree count as changed too.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOW = 9
NOISE = 20.0
"""Variance, in squared 8-bit steps, that codecs and resizing leave between equal pictures."""
DETAIL = 100.0
"""Variance from which on a neighbourhood counts in full. A flat one looks like any other, so what
varies no more than that noise counts for nothing: the mark itself does, and is copied with it.
"""
ALIKE, UNLIKE = 0.8, 0.5
"""From how high a likeness on a place agrees, and below which one it is shown as changed."""
BETWEEN = 5
"""Places that far from disagreeing ones on two sides are taken as changed, in pixels."""
EDGES = 7
"""Side of the neighbourhood that must lie wholly in what differs for that to be certain."""
LEAST_SEEN = 0.35
LEAST_GAIN, MOST_GAIN = 0.4, 2.5
TONES = 32
SHADE = 6.0
"""A neighbourhood may be so many 8-bit steps brighter or darker as a whole."""
COLOUR_NOISE, COLOUR_SHADE = 60.0, 12.0
"""The same two for colour, which codecs keep at half the size."""
OPPOSITE = -0.4
"""From which correlation on colours are each other's opposites."""
FLAT, BETTER = 0.1, 1.01
"""What a flat place weighs when tones are chosen, and how much more of the picture other tones must
explain than its own.
"""
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a picture agrees with a reference, where it is seen.

    `detail` is how much of it the reference has, as a share of the whole plane; `kept` the share of
    that that is there unchanged, of what is seen or of `LEAST_SEEN` of all if that is more, and
    `kept_of_seen` of what is seen; `evidence` is its amount as a share of the plane, `same` the
    share of the plane that is the same, flat or not, and `density` how much of what is taken as
    changed really disagrees; `changed` bool [H, W] says where.
    """

    detail: float
    kept: float
    kept_of_seen: float
    evidence: float
    same: float
    density: float
    changed: Mask


def detail_of(reference: Plane) -> Plane:
    """How much each place of a picture says, 0 to 1, float32 [H, W]."""
    beyond = (_variance(reference) - NOISE) / (DETAIL - NOISE)
    return np.asarray(np.clip(beyond, 0.0, 1.0), np.float32)


def likeness(reference: Plane, other: Plane, seen: Mask, detail: Plane) -> Plane:
    """1 where equal, 0 and less where they differ as much as they vary; float32 [H, W].

    Planes are float32 [H, W] of 0 to 255; `detail` is the reference's.
    """
    plain = _likeness(reference, other)
    where = seen & (detail > 0.3) & _varies_together(reference, other)
    fitted = _likeness(_in_line(reference, other, where), other)
    fitted = _likeness(_in_curve(reference, other, seen & (fitted > UNLIKE)), other)
    weight = detail + FLAT
    explained = (float(weight[seen & (each > UNLIKE)].sum()) for each in (plain, fitted))
    return plain if next(explained) * BETTER >= next(explained) else fitted


def colour_likeness(reference: Plane, other: Plane, trusted: Mask) -> Plane:
    """The same of colour alone; float32 [H, W] from float32 [H, W, 2] of 0 to 255 (Cr, Cb).

    What maps all colours of the one to those of the other where both are `trusted` to show the same
    is taken out first: a filter, or that there is no colour any more.
    """
    other_colours = (reference, _in_colours(reference, other, trusted))
    plain, fitted = (
        np.minimum(*(_likeness(each[..., at], other[..., at], COLOUR_NOISE, COLOUR_SHADE)
                     for at in range(2)))
        for each in other_colours
    )  # fmt: skip
    alike = (int((each[trusted] > UNLIKE).sum()) for each in (plain, fitted))
    return plain if next(alike) * BETTER >= next(alike) else fitted


def are_colours_opposite(reference: Plane, other: Plane, trusted: Mask) -> bool:
    """Whether colours vary against one another where both show the same: no filter does that, but a
    negative of brightness or of colours alone.
    """
    if not trusted.any():
        return False
    ours, theirs = (each[trusted] - each[trusted].mean(axis=0) for each in (reference, other))
    spread = [float((each * each).mean()) + COLOUR_NOISE for each in (ours, theirs)]
    return float((ours * theirs).mean()) < OPPOSITE * float(np.sqrt(spread[0] * spread[1]))


def apart(found: Plane, seen: Mask) -> tuple[Mask, Mask]:
    """Where the two differ for certain, its edges and the frame left out, and where they do not."""
    differs = _closed(seen & (found < UNLIKE))
    framed = np.pad((seen & differs).astype(np.uint8), EDGES)
    inner = cv2.erode(framed, np.ones((EDGES, EDGES), np.uint8))[EDGES:-EDGES, EDGES:-EDGES]
    return np.asarray(inner > 0), seen & ~differs


def agreement(found: Plane, seen: Mask, detail: Plane, colours: Plane | None = None) -> Agreement:
    """What a map of likenesses says in all, and one of colours with it.

    Density is that of brightness alone: one flat part that was drawn in another colour differs as
    densely as an edit, whatever else only resembles.
    """
    differs = seen & (found < ALIKE)
    both = found if colours is None else np.minimum(found, colours)
    apart = _closed(differs)
    same = seen & ~_closed(seen & (both < ALIKE))
    agreed = float(detail[same].sum())
    visible = float(detail[seen].sum())
    return Agreement(
        detail=float(detail.mean()),
        kept=agreed / (max(visible, LEAST_SEEN * float(detail.sum())) + 1e-6),
        kept_of_seen=agreed / visible if visible > 0 else 1.0,
        evidence=agreed / detail.size,
        same=float(same.mean()),
        density=float(differs.sum()) / max(1, int((apart & seen).sum())),
        changed=seen & _closed(seen & (both < UNLIKE)),
    )


def _closed(mask: Mask) -> Mask:
    """With the gaps between its places filled."""
    side = 2 * BETWEEN + 1
    wide = np.pad(mask.astype(np.uint8), side)
    filled = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return np.asarray(filled[side:-side, side:-side] > 0)


def _mean(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, (WINDOW, WINDOW)), np.float32)


def _variance(plane: Plane) -> Plane:
    mean = _mean(plane)
    return np.asarray(np.maximum(_mean(plane * plane) - mean * mean, 0), np.float32)


def _varies_together(reference: Plane, other: Plane) -> Mask:
    """Where the two vary together, whatever their tones."""
    together = _mean(reference * other) - _mean(reference) * _mean(other)
    spread = np.sqrt((_variance(reference) + NOISE) * (_variance(other) + NOISE))
    return np.asarray(together / spread > 0.8)


def _in_line(reference: Plane, other: Plane, where: Mask) -> Plane:
    """The reference in the tones of the other picture, by a line through those places."""
    if int(where.sum()) < WINDOW * WINDOW:
        return reference
    known, wanted = reference[where], other[where]
    middle = float(known.mean())
    gain = float(((known - middle) * wanted).mean()) / (float(known.var()) + 1e-3)
    gain = min(max(gain, LEAST_GAIN), MOST_GAIN)
    shifted = float(wanted.mean()) + gain * (reference - middle)
    return np.asarray(np.clip(shifted, 0, 255), np.float32)


def _in_curve(reference: Plane, other: Plane, where: Mask) -> Plane:
    """The same by a curve through the mean of each range of tones, where the line can be bent."""
    known, wanted = reference[where], other[where]
    tones = (known * (TONES / 256)).astype(int)
    count = np.bincount(tones, minlength=TONES)
    enough = count >= WINDOW
    if int(enough.sum()) < 3:
        return _in_line(reference, other, where)
    before, after = (
        np.bincount(tones, each, TONES)[enough] / count[enough] for each in (known, wanted)
    )
    gain = (after[-1] - after[0]) / (before[-1] - before[0])
    if not LEAST_GAIN <= gain <= MOST_GAIN:
        return _in_line(reference, other, where)
    low, high = after[0] - gain * before[0], after[-1] + gain * (255 - before[-1])
    tones_before = [0.0, *before, 255.0]
    tones_after = np.clip([low, *np.maximum.accumulate(after), high], 0, 255)
    return np.asarray(np.interp(reference, tones_before, tones_after), np.float32)


def _in_colours(reference: Plane, other: Plane, where: Mask) -> Plane:
    """The reference with its colours mapped to the other's as they are there: an affine map that
    stays near to none where few colours say little.
    """
    if int(where.sum()) < WINDOW * WINDOW:
        return reference
    centred = reference - 128
    known, wanted = centred[where], other[where] - 128
    known = np.column_stack([known, np.full(len(known), 16.0)])
    none = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    left = known.T @ known / len(known) + 4 * np.eye(3)
    fitted = none + np.linalg.solve(left, known.T @ (wanted - known @ none) / len(known))
    return np.asarray(centred @ fitted[:2] + 16 * fitted[2] + 128, np.float32)


def _likeness(reference: Plane, other: Plane, noise: float = NOISE, free: float = SHADE) -> Plane:
    difference = reference - other
    shade = _mean(difference)
    beyond = np.maximum(np.abs(shade) - free, 0)
    error = _mean(difference * difference) - shade * shade + beyond * beyond
    return np.asarray(1 - error / (_variance(reference) + _variance(other) + noise), np.float32)
