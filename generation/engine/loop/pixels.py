"""From latents to pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from generation.engine.families.family import Size
from generation.engine.loading.loaded_model import LoadedModel

PREVIEW_SIDE = 128


def decode(
    model: LoadedModel, latents: Sequence[Tensor], size: Size
) -> list[NDArray[np.uint8] | None]:
    """Latents [1, …] of one size to uint8 [H, W, 3] RGB each; None where the VAE made no numbers.

    Out of memory halves the batch, down to one picture at a time.
    """
    try:
        images = _decode(model, torch.cat(list(latents)), size)
    except torch.OutOfMemoryError:
        if len(latents) == 1:
            raise
        half = len(latents) // 2
        return decode(model, latents[:half], size) + decode(model, latents[half:], size)
    finite = torch.isfinite(images).flatten(1).all(1).tolist()
    scaled = (images.float().nan_to_num() / 2 + 0.5).clamp(0, 1) * 255
    pixels = scaled.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return [image if is_finite else None for image, is_finite in zip(pixels, finite, strict=True)]


def _decode(model: LoadedModel, latents: Tensor, size: Size) -> Tensor:
    vae = model.pipe.vae
    scaled = model.family.to_vae(model.pipe, latents, size)
    images: Tensor = vae.decode(scaled.to(vae.dtype), return_dict=False)[0]
    return images


def fitted(pixels: NDArray[np.uint8], size: Size) -> Tensor:
    """uint8 [h, w, 3] to float32 [1, 3, H, W] in [-1, 1]: the middle of it in the shape of `size`,
    by Lanczos where the size differs."""
    height, width = size
    image = Image.fromarray(pixels)
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    scaled = np.array(image, np.float32) / 127.5 - 1
    return torch.from_numpy(scaled).permute(2, 0, 1)[None]


def enlarge(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """uint8 [h, w, 3] to [height, width, 3] by Lanczos; the same array when the size fits."""
    if pixels.shape[:2] == (height, width):
        return pixels
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized, dtype=np.uint8)


def preview(pixels: NDArray[np.uint8]) -> bytes:
    """A small WebP."""
    image = Image.fromarray(pixels)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=60, method=0)
    return out.getvalue()
