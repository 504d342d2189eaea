"""What the tests of the room share: two models, steered classifiers, the clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from adapters.models import BaseModel
from generation.hardware import memory_plans
from generation.starter.layout import MODEL
from tests import factories
from tests.fakes import FakeImageClassifier, FakePromptClassifier, FrozenClock

if TYPE_CHECKING:
    from tests.generation.object_stores import ObjectStore  # moto takes seconds to import


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import tiny_pipeline

    return tiny_pipeline.build(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def lora(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file that `tiny` can wear."""
    from tests import tiny_pipeline

    path = tmp_path_factory.mktemp("lora") / "a.safetensors"
    return tiny_pipeline.build_adapter(path, tiny_folder, rank=4).read_bytes()


@pytest.fixture
def model(db: None) -> BaseModel:
    """A registered model that cannot be loaded."""
    return factories.make_model()


_judged: dict[object, memory_plans.MemoryVerdict] = {}


@pytest.fixture
def judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model takes of the memory is found out by a forward before each load: longer than all
    that most tests do with it. Here a model of one kind is judged once under the same settings."""
    judge = memory_plans.judge

    def recall(model: BaseModel, *, on_gpu: bool, budget_bytes: int) -> memory_plans.MemoryVerdict:
        said = memory_plans.serving(model, on_gpu=on_gpu)
        key = (model.path, model.digest, str(model.sizes), on_gpu, budget_bytes, said)
        if key not in _judged:
            _judged[key] = judge(model, on_gpu=on_gpu, budget_bytes=budget_bytes)
        return _judged[key]

    monkeypatch.setattr(memory_plans, "judge", recall)


@pytest.fixture
def tiny(db: None, tiny_folder: Path, judged_once: None) -> Iterator[BaseModel]:
    """A registered model that renders noise in milliseconds."""
    yield factories.register_folder(tiny_folder)
    factories.forget_models()


@pytest.fixture
def starter(db: None, judged_once: None) -> Iterator[BaseModel]:
    """The model that ships, by the name that tests ask for."""
    yield factories.register_folder(MODEL, native_size=128, sizes=[[128, 128]], rank_ceiling=64)
    factories.forget_models()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(timezone.now())


@pytest.fixture
def image_classifier(monkeypatch: pytest.MonkeyPatch) -> FakeImageClassifier:
    """Stands in for the image network: set `.sexual` to what it should see."""
    from moderation.classifiers import image

    fake = FakeImageClassifier()
    monkeypatch.setattr(image, "classifier", lambda: fake)
    return fake


@pytest.fixture
def prompt_classifier(monkeypatch: pytest.MonkeyPatch) -> FakePromptClassifier:
    from moderation.classifiers import prompt

    fake = FakePromptClassifier()
    monkeypatch.setattr(prompt, "classifier", lambda: fake)
    return fake


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    from tests.generation import object_stores

    with object_stores.moto() as found:
        yield found


@pytest.fixture
def store(server: ObjectStore, settings: Settings, tmp_path: Path) -> Iterator[ObjectStore]:
    from tests.generation import object_stores

    server.empty()
    settings.PROOFSHEET_ADAPTER_CACHE_DIR = tmp_path / "cache"
    with object_stores.used(settings, object_stores.S3, server.options()):
        yield server
