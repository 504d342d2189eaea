"""A picture of one shape in another: its middle, all stretched, or all with more about it.

As A1111's `resize_mode` has them (`modules/images.py`, `resize_image`). Pure.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps
from PIL.Image import Resampling

from generation.request_rules.parameters import ResizeMode


def reshaped(
    image: Image.Image, size: tuple[int, int], mode: ResizeMode, resampling: Resampling
) -> Image.Image:
    """In `size`, width and height; `fill` draws its outermost pixels out to the border."""
    if image.size == size:
        return image
    match mode:
        case "crop":
            return ImageOps.fit(image, size, resampling)
        case "stretch":
            return image.resize(size, resampling)
        case "fill":
            scale = min(size[0] / image.width, size[1] / image.height)
            width, height = (max(1, round(side * scale)) for side in image.size)
            whole = image.resize((width, height), resampling)
            across, down = size[0] - whole.width, size[1] - whole.height
            about = [(down // 2, down - down // 2), (across // 2, across - across // 2)]
            levels = np.asarray(whole)
            about += [(0, 0)] * (levels.ndim - 2)
            return Image.fromarray(np.pad(levels, about, mode="edge"))
