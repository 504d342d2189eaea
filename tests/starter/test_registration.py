"""`register_starter`: what a first start needs and later starts keep."""

from __future__ import annotations

import io
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from adapters.base_models.registration import ModelDetails, register_model
from adapters.models import Adapter, BaseModel
from generation.management import builtin_models
from tests import tiny_pipeline

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_pipeline.build(tmp_path_factory.mktemp("model"))


@pytest.fixture
def adapters_folder(tmp_path: Path, model_folder: Path) -> Path:
    folder = tmp_path / "adapters"
    tiny_pipeline.build_adapter(folder / "clay.safetensors", model_folder, rank=8)
    row = {"slug": "clay", "name": "Clay", "description": "", "trigger": "clay", "licence": "MIT"}
    (folder / "adapters.json").write_text(json.dumps([row]))
    return folder


@pytest.mark.django_db
def test_register_starter_makes_the_shipped_model_the_default_one() -> None:
    said = io.StringIO()
    call_command("register_starter", stdout=said)
    model = BaseModel.objects.get(slug="starter")
    assert model.is_default
    assert model.family == "starter"
    assert model.default_size == (512, 512)
    assert said.getvalue().startswith("starter")


@pytest.mark.django_db
def test_register_starter_changes_nothing_the_second_time() -> None:
    call_command("register_starter", verbosity=0)
    models, adapters = list(BaseModel.objects.values()), list(Adapter.objects.values())
    said = io.StringIO()
    call_command("register_starter", stdout=said)
    assert list(BaseModel.objects.values()) == models
    assert list(Adapter.objects.values()) == adapters
    assert ", registered" not in said.getvalue()


@pytest.mark.django_db
def test_registration_works_where_no_adapter_ships(model_folder: Path, tmp_path: Path) -> None:
    done = builtin_models.register(at=NOW, model_folder=model_folder, adapters=tmp_path)
    assert done.adapters == ()


@pytest.mark.django_db
def test_registration_publishes_an_adapter_once(model_folder: Path, adapters_folder: Path) -> None:
    first = builtin_models.register(at=NOW, model_folder=model_folder, adapters=adapters_folder)
    second = builtin_models.register(at=NOW, model_folder=model_folder, adapters=adapters_folder)
    assert (first.renewed, second.renewed) == (("clay",), ())
    adapter = Adapter.objects.get(slug="clay")
    assert (adapter.rank, adapter.state, adapter.owner) == (8, Adapter.State.PUBLISHED, None)


@pytest.mark.django_db
def test_registration_leaves_a_withdrawn_adapter_withdrawn(
    model_folder: Path, adapters_folder: Path
) -> None:
    builtin_models.register(at=NOW, model_folder=model_folder, adapters=adapters_folder)
    withdrawn = Adapter.objects.filter(slug="clay")
    withdrawn.update(state=Adapter.State.WITHDRAWN, withdrawn_at=NOW)
    builtin_models.register(at=NOW, model_folder=model_folder, adapters=adapters_folder)
    assert Adapter.objects.get(slug="clay").state == Adapter.State.WITHDRAWN


@pytest.mark.django_db
def test_registration_keeps_the_operators_choice_of_default(
    model_folder: Path, tmp_path: Path
) -> None:
    register_model("house", model_folder, ModelDetails(is_default=True), at=NOW)
    done = builtin_models.register(at=NOW, model_folder=model_folder, adapters=tmp_path)
    assert not done.model.is_default
    assert BaseModel.objects.get(slug="house").is_default


@pytest.mark.django_db
def test_registration_names_a_broken_catalogue(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "adapters.json").write_text("[{}]")
    with pytest.raises(builtin_models.CatalogueInvalid):
        builtin_models.register(at=NOW, model_folder=model_folder, adapters=tmp_path)


@pytest.mark.django_db
def test_a_model_whose_encoder_was_not_written_says_how_to_get_it(
    model_folder: Path, tmp_path: Path
) -> None:
    bare = shutil.copytree(model_folder, tmp_path / "bare")
    (bare / "text_encoder" / "model.safetensors").unlink()
    with pytest.raises(builtin_models.EncoderMissing) as refused:
        builtin_models.register(at=NOW, model_folder=bare)
    assert "make install" in refused.value.advice
    assert not BaseModel.objects.exists()
