"""Whether a picture shows what a marked one showed, and which part of it was changed. Pure.

The record keeps a small picture. Wherever the marked picture may lie in the one at hand (see
`placement`) it is laid over the record's and compared place by place (see `local_agreement`). So a
crop or a screenshot is compared with the same part of the original, a turned picture upright, and
an edited one is told from another one: the edit differs in one part and nowhere else, and has no
mark there (see `mark_presence`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks import (
    changed_parts,
    fingerprint,
    local_agreement,
    mark_presence,
    placement,
)
from provenance.marks.changed_parts import ChangedPart
from provenance.marks.local_agreement import FLAT, Agreement, Mask, Plane
from provenance.marks.placement import CANVAS, Affine
from provenance.marks.watermark import Detection

THUMBNAIL_SIDE = 256
LEAST_SHARE = 0.06
"""The least share of the original that must be seen for a comparison to mean anything."""
LEAST_WHOLE = 0.9
"""Where less of the original is seen, what is at hand is a piece of it."""
ROUGH = 64
"""Side of the canvas on which places are only ranked."""
ENOUGH = 0.45
"""Where so much of the original's detail is kept, no other place is looked at."""
LEAST_KEPT, MORE_KEPT, LEAST_EVIDENCE = 0.09, 2.0, 0.008
DENSE, LEAST_KEPT_DIFFUSE = 0.9, 0.95
WHOLE_DISTANCE, NEAR_DISTANCE, LEAST_KEPT_NEAR = 16, 20, 0.1
"""What was changed in one part disagrees nearly everywhere in it; what only resembles does not, so
the less dense the disagreement is, the more must be kept. Where neighbourhoods differ all over, as
after a blur, the fingerprints of what both show must be nearer than the paper asks: two drawings of
one caption come within 22 bits. Chosen on tests/bench/local_edits.py and fresh_copies.py.
"""
MARKED, UNMARKED, CERTAIN = 0.18, 0.25, 4.0
"""The mark is in what was changed where it has surely more than that share of its strength
elsewhere, and is not where it has surely less; edited pictures come to 0.2, copied marks begin at
0.3. To say so it must be found elsewhere by so many standard deviations.
"""
LEAST_MARKED_AREA, LEAST_UNMARKED_AREA = 0.015, 0.004
"""How much of what is seen must have been changed for saying so. Less of it differs at the edges of
pictures that were turned or shown on a screen.
"""
LEAST_EVIDENCE_EDITED = 0.005
"""As `LEAST_EVIDENCE`, where what was changed lost the mark."""
CLEARLY_UNMARKED, LEAST_SAME = 0.1, 0.4
"""Where hardly a thing is to be seen, less than that share of the mark's strength must be in what
was changed, and so much of the whole plane must be the same, flat places too. Edited pictures come
to 0.04, copied marks begin at 0.17.
"""
RULED_OUT, AS_LARGE = 0.02, 0.5
"""A place is ruled out where so much of either picture's detail differs, as a share of the whole
plane. Asked of places where at least half as much of the original is seen as at any. At the right
place of crops within flat pictures 0.014 differ at most, in copies onto drawings 0.06 at least.
"""
Trace = Literal["kept", "weak", "gone"]
"""What of the mark is where a picture differs from its record."""


@dataclass(frozen=True, slots=True)
class Original:
    """What the record keeps of a marked picture: its size, fingerprint and small JPEG."""

    width: int
    height: int
    fingerprint: bytes
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class Comparison:
    """`distance` is the bits by which the fingerprints of what both show differ, 0 to 256; `kept`
    the share of the original's detail that is there unchanged; `changed` the parts that are not,
    and `beside` those that lie beside the original. `is_doubtful` is of a picture that agrees, but
    carries the mark also where it does not, or that was bent.
    """

    distance: int
    kept: float
    changed: tuple[ChangedPart, ...]
    is_same: bool
    is_doubtful: bool = False
    beside: tuple[ChangedPart, ...] = ()


def thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """A JPEG of at most 256 pixels a side of uint8 [H, W, 3] RGB pixels."""
    height, width = pixels.shape[:2]
    shrink = min(1.0, THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 75]
    is_done, buffer = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), quality)
    assert is_done, "OpenCV encodes every uint8 picture"
    return buffer.tobytes()


def original_of(pixels: NDArray[np.uint8]) -> Original:
    """What a record of these marked pixels keeps."""
    height, width = pixels.shape[:2]
    return Original(width, height, fingerprint.pdq(pixels), thumbnail(pixels))


def compare(
    pixels: NDArray[np.uint8], original: Original, detection: Detection | None
) -> Comparison | None:
    """Compare uint8 [H, W, 3] RGB pixels with a record; None when too little of it is seen, when
    there is nothing to be seen (one clear sky is like any other), or when nothing agrees but
    nothing contradicts either: a crop within a smooth part may be of this picture or of another.

    `detection` is of the record's own watermark, if that was found in the picture.
    """
    if detection is not None and detection.geometry is not None and detection.geometry.is_negative:
        pixels = np.asarray(255 - pixels, np.uint8)
    whole = fingerprint.distance(fingerprint.pdq(_upright(pixels, detection)), original.fingerprint)
    colours = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb), np.uint8)
    grey = np.ascontiguousarray(colours[..., 0])
    small = _small(original)
    if small is None:
        is_same = whole <= fingerprint.SAME_PICTURE_DISTANCE
        return Comparison(whole, float(is_same), (), is_same)
    size = (grey.shape[1], grey.shape[0])
    if detection is not None and detection.geometry is not None:
        marked = (original.width, original.height)
        places = placement.by_lattice(marked, detection.geometry, size)
        mark = None if detection.tile is None else _Marked(grey, marked, detection.tile)
        found = _best(small, colours, places, mark)
    else:
        found = _best(small, colours, placement.whole_frames(size))
        if found is None or not found.is_alike(whole):
            features = placement.by_features(np.ascontiguousarray(small[..., 0]), grey)
            found = _best(small, colours, features) or found
    if found is None or found.is_undecided(whole):
        return None
    told = found.told(whole, grey)
    if detection is None or told.is_same or told.is_doubtful:
        return told
    # A picture that was photographed from the side lies on no lattice; nobody is accused for that.
    is_bent = placement.is_bent(np.ascontiguousarray(small[..., 0]), grey, found.place)
    return replace(told, is_doubtful=is_bent)


@dataclass(frozen=True, slots=True)
class _Found:
    """A place, and how the picture agrees with the original there; `trace` is what of the mark is
    where it does not, None where that cannot be told, `is_ruled_out` says that no other place is
    left for it to be from, `is_piece` that not all of the original is seen, `goes_on` that the mark
    lies beside the original too.
    """

    place: Affine
    agreement: Agreement
    visible: float
    distance: int
    trace: Trace | None
    is_ruled_out: bool
    is_piece: bool
    goes_on: bool

    def is_undecided(self, whole: int) -> bool:
        """Whether both say too little to be told apart, there or at another place; or what differs
        lost the mark, as an edit does, of a picture in which hardly anything else is to be seen.
        """
        says_little = self.visible < LEAST_EVIDENCE or not self.is_ruled_out
        says_little = says_little or self.trace in ("weak", "gone")
        return says_little and not self.is_alike(whole)

    def is_alike(self, whole: int) -> bool:
        """By the fingerprints of what both show, where some of the detail that is seen agrees too,
        and of a piece some is seen: one smooth piece is like any other; or by an agreement outside
        of one part.
        """
        found = self.agreement
        is_near = self.distance <= NEAR_DISTANCE and found.kept_of_seen >= LEAST_KEPT_NEAR
        is_near = is_near and (self.visible >= LEAST_EVIDENCE or not self.is_piece)
        if is_near or whole <= WHOLE_DISTANCE:
            return True
        # white paper is like any other: of what was on it something must be left
        is_left = found.kept_of_seen >= LEAST_KEPT_NEAR or found.detail < LEAST_EVIDENCE
        if self.trace == "gone" and found.same >= LEAST_SAME and is_left:
            return True
        if self.trace in ("weak", "gone"):
            return found.kept >= LEAST_KEPT and found.evidence >= LEAST_EVIDENCE_EDITED
        least = LEAST_KEPT + MORE_KEPT * (1 - found.density)
        if found.density < DENSE:
            least = LEAST_KEPT_DIFFUSE
        return found.kept >= least and found.evidence >= LEAST_EVIDENCE

    def told(self, whole: int, grey: NDArray[np.uint8]) -> Comparison:
        is_alike, is_doubtful = self.is_alike(whole), self.trace == "kept" or self.goes_on
        is_same = is_alike and not is_doubtful
        size = (grey.shape[1], grey.shape[0])
        changed = changed_parts.changed(self.agreement.changed, self.place, size) if is_same else ()
        kept = round(self.agreement.kept, 3)
        distance = min(whole, self.distance)
        beside = changed_parts.beside(self.place, grey) if is_same else ()
        return Comparison(distance, kept, changed, is_same, is_alike and is_doubtful, beside)


def _upright(pixels: NDArray[np.uint8], detection: Detection | None) -> NDArray[np.uint8]:
    """Turned and mirrored back, as far as its watermark tells."""
    if detection is None or detection.geometry is None:
        return pixels
    turned = np.rot90(pixels, -detection.geometry.quarter_turns)
    back = turned[:, ::-1] if detection.geometry.is_mirrored else turned
    return np.ascontiguousarray(back)


def _small(original: Original) -> NDArray[np.uint8] | None:
    """The record's small picture, uint8 [h, w, 3]: brightness, Cr and Cb."""
    if not original.thumbnail:
        return None
    encoded = np.frombuffer(original.thumbnail, np.uint8)
    small = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert small is not None, "the record holds a JPEG that OpenCV wrote"
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb), np.uint8)


@dataclass(frozen=True, slots=True)
class _Marked:
    """The mark of a picture of (width, height), looked for again in the one at hand."""

    grey: NDArray[np.uint8]
    size: tuple[int, int]
    tile: Plane

    def trace(self, changed: Mask, rest: Mask, place: Affine) -> Trace | None:
        """What of the mark is in what was changed; None where that cannot be told."""
        area = float(changed.sum()) / max(1, int(changed.sum() + rest.sum()))
        if area < LEAST_UNMARKED_AREA:
            return None
        seen = mark_presence.of(self.grey, place, self.tile, self.size)
        there, elsewhere = seen.strength(changed), seen.strength(rest)
        if elsewhere.steps < CERTAIN * elsewhere.error:
            return None
        share, error = (each / elsewhere.steps for each in (there.steps, 2 * there.error))
        if area >= LEAST_MARKED_AREA and share - error > MARKED:
            return "kept"
        if share + error < UNMARKED:
            return "gone" if share + error < CLEARLY_UNMARKED else "weak"
        return None

    def goes_on(self, place: Affine, lattice: list[Affine]) -> bool:
        """Whether the mark lies beside the original too, as no editor leaves it."""
        beside = mark_presence.beside(self.grey, place, lattice, self.tile, self.size)
        if beside is None or beside.steps < CERTAIN * beside.error:
            return False
        within = placement.seen((self.grey.shape[1], self.grey.shape[0]), place)
        inside = mark_presence.of(self.grey, place, self.tile, self.size).strength(within)
        return beside.steps - 2 * beside.error > MARKED * inside.steps


def _best(
    small: NDArray[np.uint8],
    colours: NDArray[np.uint8],
    places: Iterable[Affine],
    mark: _Marked | None = None,
) -> _Found | None:
    """The place where most of the original's detail is; None when none shows enough of it."""
    places = list(places)
    ranked = _ranked(small[..., 0], np.ascontiguousarray(colours[..., 0]), places)
    enough = [each for each in ranked if each.seen >= LEAST_SHARE]
    if not enough:
        return None
    place = max(enough, key=lambda each: each.kept + FLAT * each.same).place
    reference = _at_side(small, CANVAS)
    shrunk, (near,) = placement.at_scale(colours, [place])
    first = _Laid(reference, shrunk, near)
    best = first
    if first.agreement.kept < 0.9:
        moved = _Laid(reference, shrunk, first.refined())
        if moved.agreement.evidence > first.agreement.evidence:
            best = moved
    prints = [_fingerprint(_normalised(plane, best.seen)) for plane in best.planes]
    scale = [colours.shape[at] / shrunk.shape[at] for at in (1, 0)]
    back = placement.SHIFT
    enlarged = np.linalg.inv(back) @ np.diag([*scale, 1.0]) @ back
    exact = (enlarged @ np.vstack([best.place, [0, 0, 1]]))[:2]
    trace = None if mark is None else mark.trace(*best.apart(), place)
    distance = fingerprint.distance(*prints)
    is_ruled_out, is_piece = _is_ruled_out(ranked), float(best.seen.mean()) < LEAST_WHOLE
    goes_on = mark is not None and mark.goes_on(place, places)
    found = best.agreement, best.visible, distance, trace, is_ruled_out, is_piece, goes_on
    return _Found(exact, *found)


class _Laid:
    """A picture laid over the reference at one place, both float32 or uint8 [H, W, 3] YCrCb.

    `visible` is how much there is to be seen in either, as a share of the whole plane.
    """

    def __init__(self, reference: Plane, picture: NDArray[np.uint8], place: Affine) -> None:
        self.place = place
        self._picture = picture
        other = placement.cut_out(picture, place)
        self.planes = reference[..., 0], other[..., 0]
        self.seen = placement.seen((picture.shape[1], picture.shape[0]), place)
        detail = local_agreement.detail_of(self.planes[0])
        self._likeness = local_agreement.likeness(*self.planes, self.seen, detail)
        alike = self.seen & (self._likeness > local_agreement.UNLIKE)
        hues = local_agreement.colour_likeness(reference[..., 1:], other[..., 1:], alike)
        found = local_agreement.agreement(self._likeness, self.seen, detail, hues)
        if local_agreement.are_colours_opposite(reference[..., 1:], other[..., 1:], alike):
            found = replace(found, changed=self.seen)
        self.agreement = found
        either = np.maximum(detail, local_agreement.detail_of(self.planes[1]))
        self.visible = float(either[self.seen].sum()) / detail.size

    def apart(self) -> tuple[Mask, Mask]:
        """Where the two differ for certain, and where they do not."""
        return local_agreement.apart(self._likeness, self.seen)

    def refined(self) -> Affine:
        """The place moved a little, by what agrees already."""
        trusted = self.seen
        if self.agreement.kept > LEAST_KEPT:
            trusted = trusted & (self._likeness > local_agreement.UNLIKE)
        luma = np.ascontiguousarray(self._picture[..., 0])
        return placement.refined(luma, self.place, self.planes[0], trusted)


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """A place compared roughly: the share of the original that is seen there, how many points of it
    are the same, how much of its detail those keep, and how much of either's differs.
    """

    place: Affine
    seen: float
    same: float
    kept: float
    differs: float


def _ranked(
    small: NDArray[np.uint8], grey: NDArray[np.uint8], places: list[Affine]
) -> list[_Ranked]:
    """Places where anything is seen, up to one that keeps enough of the original's detail."""
    if not places:
        return []
    luma, near = placement.at_scale(grey, places)
    reference = _at_side(small, ROUGH)
    detail = local_agreement.detail_of(reference)
    size = (luma.shape[1], luma.shape[0])
    ranked = []
    for place, shrunk in zip(places, near, strict=True):
        seen = placement.seen(size, shrunk, ROUGH)
        if float(seen.mean()) < AS_LARGE * LEAST_SHARE:
            continue
        other = placement.cut_out(luma, shrunk, ROUGH)
        found = local_agreement.likeness(reference, other, seen, detail)
        alike = seen & (found > local_agreement.UNLIKE)
        either = np.maximum(detail, local_agreement.detail_of(other))
        sums = seen.mean(), alike.sum(), detail[alike].sum(), either[seen & ~alike].sum()
        ranked.append(_Ranked(place, *(float(each) for each in sums)))
        is_enough = ranked[-1].seen >= LEAST_SHARE
        if is_enough and ranked[-1].kept > ENOUGH * float(detail.sum()):
            break
    return ranked


def _is_ruled_out(ranked: list[_Ranked]) -> bool:
    """Whether the two differ wherever much of the original would be seen."""
    largest = max(each.seen for each in ranked)
    return all(
        each.differs > RULED_OUT * ROUGH * ROUGH
        for each in ranked
        if each.seen >= AS_LARGE * largest
    )


def _at_side(small: NDArray[np.uint8], side: int) -> Plane:
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _normalised(plane: Plane, mask: NDArray[np.bool_]) -> Plane:
    """Zero mean and unit variance inside the mask, zero outside."""
    seen = plane[mask]
    centred = np.where(mask, (plane - seen.mean()) / (seen.std() + 1e-3), 0)
    return np.asarray(centred, np.float32)


def _fingerprint(plane: Plane) -> bytes:
    grey = np.clip(np.rint(128 + 42 * plane), 0, 255).astype(np.uint8)
    return fingerprint.pdq(np.repeat(grey[..., None], 3, axis=2))
