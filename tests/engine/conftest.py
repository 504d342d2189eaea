"""Tiny models of all families, built once, and ways to run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from generation.engine.jobs import AdapterUse
from generation.engine.loading import loaded_model as models
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loop.engine import Engine
from generation.engine.loop.runner import Runner
from tests.engine import tiny_models
from tests.engine.rendering import pipeline

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`folders("sdxl")`: the folder of that family's tiny model."""
    root, built = tmp_path_factory.mktemp("models"), dict[str, Path]()

    def folder(family: str) -> Path:
        if family not in built:
            built[family] = tiny_models.build(family, root / family)
        return built[family]

    return folder


@pytest.fixture
def adapter(folders: Callable[[str], Path], tmp_path: Path) -> Callable[..., AdapterUse]:
    """`adapter("sd", seed=3, weight=0.5)`: a random LoRA file for that family."""

    def make(family: str, *, seed: int = 1, weight: float = 1.0, **options: Any) -> AdapterUse:
        path = tmp_path / f"{family}-{seed}.safetensors"
        tiny_models.build_adapter(path, pipeline(folders(family)), seed=seed, **options)
        return AdapterUse(path.stem, path, weight)

    return make


@pytest.fixture
def load(folders: Callable[[str], Path]) -> Callable[..., LoadedModel]:
    """`load("flux", adapter_slots=2)`: that family's model on the CPU."""

    def load(family: str, **settings: Any) -> LoadedModel:
        return models.load(
            folders(family),
            settings=Settings(**settings),
            device=torch.device("cpu"),
            dtype=torch.float32,
        )

    return load


@pytest.fixture
def engines() -> Iterator[Callable[[LoadedModel], Engine]]:
    """`engines(model)`: an engine with threads of its own, stopped at the end."""
    runners: list[Runner] = []

    def start(model: LoadedModel) -> Engine:
        runners.append(Runner())
        return Engine(model, runners[-1])

    yield start
    for runner in runners:
        runner.close()
