"""Pictures of one shape in another."""

from __future__ import annotations

import pytest
from PIL import Image
from PIL.Image import Resampling

from generation.conditions.picture_shapes import reshaped
from generation.request_rules.parameters import RESIZE_MODES, ResizeMode


@pytest.mark.parametrize("mode", RESIZE_MODES)
@pytest.mark.parametrize("kind", ["RGB", "L"])
@pytest.mark.parametrize("sides", [(64, 64), (1, 1), (63, 65), (16, 4096), (4096, 16)])
def test_any_shape_comes_into_any_other(
    mode: ResizeMode, kind: str, sides: tuple[int, int]
) -> None:
    for size in ((64, 64), (32, 96)):
        made = reshaped(Image.new(kind, sides, 200), size, mode, Resampling.BILINEAR)
        assert (made.size, made.mode) == (size, kind)


def test_what_fills_the_border_is_the_edges_own() -> None:
    image = Image.new("L", (8, 4), 100)
    image.paste(200, (0, 0, 8, 1))
    made = reshaped(image, (8, 8), "fill", Resampling.NEAREST)
    column = [made.getpixel((3, row)) for row in range(8)]
    assert column == [200, 200, 200, 100, 100, 100, 100, 100]
