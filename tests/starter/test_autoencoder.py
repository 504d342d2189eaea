"""The autoencoder: its encoder is the basis to the last digit that matters, its decoder learns."""

from __future__ import annotations

from pathlib import Path

import torch

from generation.starter.networks.autoencoder import (
    CHANNELS,
    build_autoencoder,
    to_unit,
    train_decoder,
)
from tests.starter import tiny_lesson
from tests.starter.tiny_lesson import basis, on_white


def test_the_encoder_gives_exactly_the_codes_of_the_basis() -> None:
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    components = basis()
    with torch.no_grad():
        made = build_autoencoder(components).encode(images * 2 - 1).latents
    expected = components.encode(images)
    assert made.shape == (2, CHANNELS, 8, 8)
    assert torch.allclose(made, expected, atol=1e-3 * float(expected.abs().max()))


def test_the_basis_brings_back_what_it_encodes() -> None:
    components, images = basis(), to_unit(on_white())
    error = (components.decode(components.encode(images)) - images).abs().mean()
    assert error < 0.02


def test_the_decoder_learns_to_decode(tmp_path: Path) -> None:
    torch.manual_seed(0)
    components, images = basis(), to_unit(on_white()[:4])
    model = build_autoencoder(components)

    def error() -> float:
        with torch.no_grad():
            decoded = model.decode(components.encode(images)).sample
        return float(((decoded + 1) / 2 - images).abs().mean())

    before = error()
    plan = tiny_lesson.plan(60, batch=2, learning_rate=3e-3)
    train_decoder(model, components, on_white(), plan, tmp_path / "decoder.pt")
    assert error() < 0.5 * before
