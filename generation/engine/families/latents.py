"""Where latents begin: noise, or a picture that the VAE reads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from generation.engine.families.family import Size


def noise(pipe: Any, size: Size, generator: torch.Generator, channels: int) -> Tensor:
    """[1, channels, …], drawn on the CPU in float32: one seed, one picture on every device."""
    height, width = (side // pipe.vae_scale_factor for side in size)
    return torch.randn(1, channels, height, width, generator=generator)


def change(pipe: Any, mask: Tensor, size: Size) -> Tensor:
    """A mask [1, 1, …] over the latents: each may change as much as any pixel of it may. What of it
    is not to change after all is put back in the decoded picture."""
    height, width = (side // pipe.vae_scale_factor for side in size)
    return torch.nn.functional.adaptive_max_pool2d(mask, (height, width))


def encoded(pipe: Any, picture: Tensor, generator: torch.Generator) -> Tensor:
    """A draw from what the VAE makes of a picture; tiny autoencoders leave nothing to chance."""
    vae = pipe.vae
    found = vae.encode(picture.to(vae.device, vae.dtype))
    is_drawn = hasattr(found, "latent_dist")
    drawn: Tensor = found.latent_dist.sample(generator) if is_drawn else found.latents
    return drawn.float()


def shifted(pipe: Any, picture: Tensor, generator: torch.Generator) -> Tensor:
    """Latents of a picture as flow matching networks know them."""
    shift, scale = (float(pipe.vae.config[f"{name}_factor"]) for name in ("shift", "scaling"))
    return (encoded(pipe, picture, generator) - shift) * scale


def unshifted(pipe: Any, denoised: Tensor, size: Size) -> Tensor:
    """Such latents as the VAE decodes them."""
    shift, scale = (float(pipe.vae.config[f"{name}_factor"]) for name in ("shift", "scaling"))
    return denoised / scale + shift
