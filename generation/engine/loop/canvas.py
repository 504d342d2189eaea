"""A picture that is painted on in part: what of it is drawn, and how it is put together again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from torch import Tensor

from generation.engine.families.family import Size
from generation.engine.jobs import Inpainting, RenderJob, Source
from generation.engine.loop import pixels

# Shares of the shorter side, the widest first, and how often each is laid over the last: the
# nearer colours are to what is kept, the more they are of it (A1111's `masking.fill`).
_BLURS = ((0.5, 1), (0.125, 1), (0.03, 2), (0.008, 4), (0.004, 2), (0.0, 1))


@dataclass(frozen=True, slots=True)
class CanvasWindow:
    """A part of a picture, in its pixels; `right` and `bottom` are the first outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """As Pillow has it."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """`pixels` uint8 [H, W, 3] and `mask` uint8 [H, W] have the delivered size; what lies in the
    `window` is drawn."""

    pixels: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    window: CanvasWindow
    is_filled: bool

    @classmethod
    def of(cls, job: RenderJob, source: Source, inpainting: Inpainting) -> Canvas:
        """Of a job whose picture is painted on in part."""
        size = job.width, job.height
        mask = np.asarray(_fit(Image.fromarray(inpainting.mask), size, Image.Resampling.BILINEAR))
        shown = _fit(Image.fromarray(source.pixels), size, Image.Resampling.LANCZOS)
        window = CanvasWindow(0, 0, *size)
        if inpainting.padding is not None:
            window = window_of(mask, padding=inpainting.padding)
        return cls(np.asarray(shown), mask, window, inpainting.fill == "surroundings")

    def picture(self, size: Size) -> Tensor:
        """What the VAE reads of the window, float32 [1, 3, H, W] in [-1, 1]."""
        shown = Image.fromarray(self.pixels).crop(self.window.box)
        if self.is_filled:
            shown = _filled(shown, Image.fromarray(self.mask).crop(self.window.box))
        return pixels.fitted(np.asarray(shown), size)

    def change(self) -> Tensor:
        """The mask over the window, float32 [1, 1, H, W] in [0, 1]."""
        window = self.window
        part = self.mask[window.top : window.bottom, window.left : window.right]
        return torch.from_numpy(part.astype(np.float32) / 255)[None, None]

    def painted(self, drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The whole, uint8 [H, W, 3]: `drawn` where the mask is 255, what was there where it is 0,
        bit for bit, and a share of both between."""
        window = self.window
        width, height = window.right - window.left, window.bottom - window.top
        whole = Image.fromarray(self.pixels)
        part = Image.fromarray(pixels.enlarge(drawn, width, height))
        mask = Image.fromarray(self.mask).crop(window.box)
        whole.paste(part, window.box, mask)
        return np.asarray(whole)


def window_of(mask: NDArray[np.uint8], *, padding: int) -> CanvasWindow:
    """The smallest part in the picture's own shape about what of the mask is not 0, with so many
    pixels more on each side where there is room."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return CanvasWindow(0, 0, width, height)
    left, right = max(0, columns[0] - padding), min(width, columns[-1] + 1 + padding)
    top, bottom = max(0, rows[0] - padding), min(height, rows[-1] + 1 + padding)
    scale = max((right - left) / width, (bottom - top) / height)
    across, down = min(width, round(width * scale)), min(height, round(height * scale))
    first_column, first_row = _about(left, right, across, width), _about(top, bottom, down, height)
    return CanvasWindow(first_column, first_row, first_column + across, first_row + down)


def _about(low: int, high: int, length: int, room: int) -> int:
    """Where a stretch of that length begins, its middle that of low and high, within the room."""
    return int(min(max(0, (low + high - length) // 2), room - length))


def _fit(image: Image.Image, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    """`size` as Pillow has it: width and height."""
    return image if image.size == size else ImageOps.fit(image, size, resampling)


def _filled(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture with the colours of what surrounds the mask in its place."""
    kept = Image.new("RGBa", image.size)
    kept.paste(image.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(mask))
    filled = Image.new("RGBA", image.size)
    for share, times in _BLURS:
        blurred = kept.filter(ImageFilter.GaussianBlur(share * min(image.size)))
        for _ in range(times):
            filled.alpha_composite(blurred.convert("RGBA"))
    return filled.convert("RGB")
