"""The autoencoder: 8×8 patches to 16 principal components, as a stock AutoencoderTiny.

The encoder is exact and untrained: a chain of convolutions whose weights are the components.
The decoder is trained against these fixed codes, so that it also removes the ringing that a
linear decoder leaves at edges.

    python -m generation.starter.networks.autoencoder --minutes 15      train the decoder; resumes
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from generation.starter.corpus.picture_sets import CACHE, SETS, load
from generation.starter.resumable_training import Course, TrainingPlan, mixed_precision

PATCH, CHANNELS, WIDTH = 8, 16, 48
LATENT_GAIN = 0.7
CHECKPOINT = "decoder.pt"


@dataclass(frozen=True, slots=True)
class Basis:
    """`mean` [192]; `analysis` [16, 192] maps a centred patch to its latent, `synthesis` back.

    A patch is [3, 8, 8] in [0, 1], flattened. Components are divided by the square root of their
    deviation (so that fine detail is not drowned), then all by one number.
    """

    mean: Tensor
    analysis: Tensor
    synthesis: Tensor

    def encode(self, images: Tensor) -> Tensor:
        """[N, 3, H, W] in [0, 1] to [N, 16, H/8, W/8]."""
        kernel = self.analysis.view(CHANNELS, 3, PATCH, PATCH)
        offset = self.analysis @ self.mean
        return functional.conv2d(images, kernel, -offset, stride=PATCH)

    def decode(self, latents: Tensor) -> Tensor:
        """The linear inverse: [N, 16, h, w] to [N, 3, 8h, 8w] in about [0, 1]."""
        kernel = self.synthesis.T.reshape(CHANNELS, 3, PATCH, PATCH)
        images = functional.conv_transpose2d(latents, kernel, stride=PATCH)
        rows, columns = latents.shape[-2:]
        return images + self.mean.view(1, 3, PATCH, PATCH).tile(1, 1, rows, columns)


def to_unit(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, H, W, 3] to float32 [N, 3, H, W] in [0, 1]."""
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 255


def fit_basis(images: Tensor) -> Basis:
    """Principal components of all patches of `images` [N, 3, H, W]."""
    patches = functional.unfold(images, PATCH, stride=PATCH).transpose(1, 2).reshape(-1, 192)
    mean = patches.mean(0)
    centred = patches - mean
    variances, vectors = torch.linalg.eigh((centred.T @ centred).double() / len(centred))
    variances = variances.flip(0)[:CHANNELS].float()
    vectors = vectors.flip(1)[:, :CHANNELS].T.float()
    spread = variances.sqrt()
    scale = spread.sqrt() / LATENT_GAIN
    return Basis(mean, vectors / scale[:, None], (vectors * scale[:, None]).T.contiguous())


def load_basis(cache: Path = CACHE) -> Basis:
    """The basis of all three sets, fitted on first use."""
    path = cache / "basis.pt"
    if not path.exists():
        pixels = np.concatenate([load(slug, cache).pixels[::3] for slug in SETS])
        basis = fit_basis(to_unit(pixels))
        torch.save(
            {"mean": basis.mean, "analysis": basis.analysis, "synthesis": basis.synthesis}, path
        )
    return Basis(**torch.load(path, weights_only=True))


@torch.no_grad()
def load_latents_of(model: Path, slug: str, cache: Path = CACHE) -> Tensor:
    """float32 [N, 16, 16, 16]: the codes of a whole set by an exported model's encoder."""
    encoder = AutoencoderTiny.from_pretrained(model / "vae", torch_dtype=torch.float32).encoder
    pixels = load(slug, cache).pixels
    chunks = (to_unit(pixels[start : start + 256]) for start in range(0, len(pixels), 256))
    return torch.cat([encoder(chunk.mul(2).sub(1)) for chunk in chunks])


class PatchEncoder:
    """The exported autoencoder's exact patch codes as the one convolution that they are."""

    @torch.no_grad()
    def __init__(self, model: Path) -> None:
        encoder = AutoencoderTiny.from_pretrained(model / "vae", torch_dtype=torch.float32).encoder
        units = torch.eye(3 * PATCH * PATCH).view(-1, 3, PATCH, PATCH)
        self._offset = encoder(torch.zeros(1, 3, PATCH, PATCH))[0, :, 0, 0]
        columns = encoder(units)[:, :, 0, 0] - self._offset
        self._kernel = columns.T.reshape(-1, 3, PATCH, PATCH).contiguous()

    def latents(self, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
        """RGB pictures of 128 px to float32 [N, 16, 16, 16]."""
        images = to_unit(np.stack(pictures)).mul(2).sub(1)
        return functional.conv2d(images, self._kernel, self._offset, stride=PATCH)


def build_autoencoder(basis: Basis) -> AutoencoderTiny:
    """An AutoencoderTiny with the exact encoder and an untrained decoder."""
    model = AutoencoderTiny(
        latent_channels=CHANNELS,
        encoder_block_out_channels=(WIDTH,) * 4,
        decoder_block_out_channels=(WIDTH,) * 4,
        num_encoder_blocks=(0, 0, 0, 0),
        num_decoder_blocks=(2, 2, 2, 1),
        scaling_factor=1.0,
        shift_factor=0.0,
    )
    _set_encoder(model, basis)
    return model


@torch.no_grad()
def _set_encoder(model: AutoencoderTiny, basis: Basis) -> None:
    """Gather 2×2 neighbours twice, then project the 2×2×48 values that make up a patch."""
    first, gather, gather_again, project, last = model.encoder.layers
    for layer in (first, gather, gather_again, project, last):
        layer.weight.zero_()
    first.bias.zero_()
    for channel in range(3):
        first.weight[channel, channel, 1, 1] = 1
    for layer, count in ((gather, 3), (gather_again, 12)):
        for row in range(2):
            for column in range(2):
                start = (row * 2 + column) * count
                for channel in range(count):
                    layer.weight[start + channel, channel, 1 + row, 1 + column] = 1
    patch = basis.analysis.view(CHANNELS, 3, 2, 2, 2, 2, 2, 2)
    # [latent, rgb, row4, row2, row1, column4, column2, column1] to the gathered channel order
    kernel = patch.permute(0, 3, 6, 4, 7, 1, 2, 5).reshape(CHANNELS, 48, 2, 2)
    project.weight[:CHANNELS, :, 1:, 1:] = kernel
    for channel in range(CHANNELS):
        last.weight[channel, channel, 1, 1] = 1
    last.bias.copy_(-(basis.analysis @ basis.mean))


def _decode_unit(model: AutoencoderTiny, latents: Tensor) -> Tensor:
    made: Tensor = model.decoder(latents)
    return made.add(1).div(2)


def decoder_loss(made: Tensor, target: Tensor) -> Tensor:
    """L1 on pixels and on their differences, so that edges stay sharp."""
    loss = (made - target).abs().mean()
    for axis in (2, 3):
        loss = loss + 0.5 * (made.diff(dim=axis) - target.diff(dim=axis)).abs().mean()
    return loss


def _crops(pixels: NDArray[np.uint8], count: int, cells: int, rng: random.Random) -> Tensor:
    """[count, 3, 8·cells, 8·cells] in [0, 1], cut on the patch grid."""
    size, places = cells * PATCH, pixels.shape[1] // PATCH - cells + 1
    cuts = []
    for _ in range(count):
        picture = pixels[rng.randrange(len(pixels))]
        row, column = rng.randrange(places) * PATCH, rng.randrange(places) * PATCH
        cuts.append(picture[row : row + size, column : column + size])
    return to_unit(np.stack(cuts))


def train_decoder(
    model: AutoencoderTiny,
    basis: Basis,
    pixels: NDArray[np.uint8],
    plan: TrainingPlan,
    checkpoint: Path,
) -> AutoencoderTiny:
    """Train until `plan.minutes` are spent, then give `model` the averaged decoder."""

    def loss(rng: random.Random) -> Tensor:
        target = _crops(pixels, plan.batch, 8, rng)
        codes = basis.encode(target)
        codes = codes + torch.randn_like(codes) * 0.05 * torch.rand(len(codes), 1, 1, 1)
        with mixed_precision():
            made = _decode_unit(model, codes)
        return decoder_loss(made.float(), target)

    course = Course(dict(model.decoder.named_parameters()), plan, checkpoint)
    model.decoder.load_state_dict(course.learn(loss))
    return model


def main() -> None:
    """Trains the decoder on all sets for `--minutes`, from its checkpoint where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15, help="training time in all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    basis = load_basis(options.cache)
    pixels = np.concatenate([load(slug, options.cache).pixels for slug in SETS])
    plan = TrainingPlan(options.minutes, batch=16, learning_rate=2e-3, falling_share=0.5)
    train_decoder(build_autoencoder(basis), basis, pixels, plan, options.cache / CHECKPOINT)


if __name__ == "__main__":
    main()
