"""What is pasted, repeated and recoloured shows what its caption says."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from generation.starter.corpus import compositions
from generation.starter.corpus.compositions import Picture


def _disc(colour: tuple[int, int, int]) -> Picture:
    rows, columns = np.mgrid[:128, :128]
    picture = np.zeros((128, 128, 4), np.uint8)
    picture[np.hypot(rows - 64, columns - 64) < 50] = (*colour, 255)
    return picture


RED, BLUE = _disc((210, 40, 40)), _disc((40, 60, 210))


def _where(picture: Picture, channel: int) -> tuple[float, float]:
    """Mean column and row of what is mostly of one channel."""
    others = [c for c in range(3) if c != channel]
    is_it = picture[..., channel].astype(int) > picture[..., others].max(axis=2).astype(int) + 60
    rows, columns = np.nonzero(is_it)
    return float(columns.mean()), float(rows.mean())


def test_beside_puts_the_second_to_the_right() -> None:
    made = compositions.two(RED, BLUE, "beside", random.Random(1))
    assert _where(made, 0)[0] < 64 < _where(made, 2)[0]


@pytest.mark.parametrize(("relation", "is_first_above"), [("under", True), ("over", False)])
def test_over_and_under_say_where_the_second_is(relation: str, is_first_above: bool) -> None:
    made = compositions.two(RED, BLUE, relation, random.Random(1))
    assert (_where(made, 0)[1] < _where(made, 2)[1]) is is_first_above


def test_what_is_worn_is_small_and_on_top() -> None:
    made = compositions.two(RED, BLUE, "worn", random.Random(1))
    assert _where(made, 2)[1] < 40 < _where(made, 0)[1]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_several_shows_as_many_as_it_says(count: int) -> None:
    made = compositions.several(RED, count, random.Random(1))
    apart: Picture = np.asarray((made < 200).any(axis=2), np.uint8)
    assert cv2.connectedComponents(apart)[0] - 1 == count


@pytest.mark.parametrize("colour", sorted(compositions.HUES))
def test_recoloured_things_have_the_colour(colour: str) -> None:
    hue = compositions.main_hue(compositions.recolour(RED, colour))
    assert hue is not None
    assert abs((hue - compositions.HUES[colour] + 90) % 180 - 90) < 8


def test_grey_things_have_no_main_hue_and_can_be_coloured() -> None:
    grey = _disc((128, 128, 128))
    assert compositions.main_hue(grey) is None
    assert compositions.main_hue(compositions.recolour(grey, "green")) is not None
