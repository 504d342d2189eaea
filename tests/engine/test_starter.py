"""The model that ships: the engine draws what diffusers' own pipeline draws from it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from generation.engine.loading import loaded_model as models
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loop.engine import Engine
from tests.engine.rendering import by_diffusers, denoise, job

FOLDER = Path(__file__).resolve().parents[2] / "generation" / "starter" / "model"
SIDE = 128


@pytest.fixture
def starter() -> LoadedModel:

    return models.load(FOLDER, settings=Settings(), device=torch.device("cpu"), dtype=torch.float32)


def test_the_shipped_model_gives_the_pixels_of_diffusers_to_many_at_once(
    starter: LoadedModel, engines: Callable[[LoadedModel], Engine]
) -> None:
    engine = engines(starter)
    requests = [
        job(
            prompt,
            steps=steps,
            guidance=guidance,
            seed=seed,
            width=SIDE,
            height=SIDE,
            native_size=SIDE,
        )
        for seed, (prompt, steps, guidance) in enumerate(
            [("a red apple", 6, 4.0), ("a smiling cat", 3, 1.0), ("a house", 8, 5.0)]
        )
    ]
    tickets = [engine.submit(request) for request in requests]
    for request, ticket in zip(requests, tickets, strict=True):
        theirs = by_diffusers(FOLDER, request, output="np")[0]
        ours = ticket.future.result(timeout=300).pixels
        np.testing.assert_allclose(ours / 255, theirs, atol=1.01 / 255)


def test_its_schedule_ends_at_clean_latents(starter: LoadedModel) -> None:
    (made,) = denoise(starter, [job("a star", width=SIDE, height=SIDE, native_size=SIDE)])
    assert float(made.latents.abs().max()) < 20
