"""Base models are registered from their folders, and adapters that ship along are published."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from adapters.base_models import registration
from adapters.models import Adapter, BaseModel
from tests import tiny_pipeline
from tests.factories import NOON, make_model

pytestmark = pytest.mark.django_db


def register(folder: Path, slug: str = "tiny", **said: object) -> BaseModel:
    details = registration.ModelDetails(**said)  # type: ignore[arg-type] # tests name what they set
    return registration.register_model(slug, folder, details, at=NOON)


def test_register_reads_size_and_layers_from_the_configuration(tiny_folder: Path) -> None:
    model = register(tiny_folder)
    layers = model.architecture.components
    attention = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    assert model.sizes == [[32, 32]]
    assert layers["unet"][attention] == [32, 16]
    assert layers["unet"]["down_blocks.0.attentions.0.proj_in"] == [16, 16, 1]
    assert layers["text_encoder"]["encoder.layers.0.mlp.fc1"] == [32, 32]
    assert model.memory_mib >= 1


def test_register_needs_no_weights_to_know_the_layers(tiny_folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(tiny_folder, bare, ignore=shutil.ignore_patterns("*.safetensors"))
    assert register(bare).architecture.components["unet"]


def test_register_again_keeps_what_the_folder_does_not_say(tiny_folder: Path) -> None:
    first = register(tiny_folder, name="Tiny", tier="gpu-8g")
    again = register(tiny_folder, default_steps=7)
    assert again.pk == first.pk
    assert (again.default_steps, again.tier) == (7, "gpu-8g")
    assert again.digest == first.digest


def test_first_model_is_the_default_and_a_later_one_takes_its_place_on_request(
    tiny_folder: Path,
) -> None:
    first = register(tiny_folder)
    assert first.is_default
    assert not register(tiny_folder, "second").is_default
    assert register(tiny_folder, "third", is_default=True).is_default
    first.refresh_from_db()
    assert not first.is_default


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("model_index.json", "{"),
        ("model_index.json", '{"_class_name": "AudioPipeline"}'),
        ("unet/config.json", "[]"),
        ("proofsheet.json", '{"family": "unheard-of"}'),
    ],
)
def test_register_refuses_a_folder_that_is_no_pipeline(
    tiny_folder: Path, tmp_path: Path, name: str, text: str
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_folder, broken, ignore=shutil.ignore_patterns("*.safetensors"))
    (broken / name).write_text(text)
    with pytest.raises(registration.NotAModelFolder):
        register(broken)
    assert not BaseModel.objects.exists()


@pytest.mark.parametrize(
    ("slug", "said", "sentence"),
    [
        ("a b", {}, "slug: "),
        ("../../x", {}, "slug: "),
        ("x" * 65, {}, "slug: "),
        ("tiny", {"default_steps": -5}, "default_steps: "),
        ("tiny", {"default_steps": 99_999}, "default_steps: "),
        ("tiny", {"default_guidance": float("nan")}, "default_guidance: "),
        ("tiny", {"default_guidance": -1.0}, "default_guidance: "),
        ("tiny", {"rank_ceiling": 0}, "rank_ceiling: "),
        ("tiny", {"sizes": ((7, 9),)}, "sizes: both sides are multiples of 4"),
        ("tiny", {"name": ""}, "name: "),
        ("tiny", {"licence": "x" * 201}, "licence: "),
        ("tiny", {"family": "flux"}, "family: .* not of Flux"),
    ],
)
def test_register_refuses_what_no_request_could_use(
    tiny_folder: Path, slug: str, said: dict[str, object], sentence: str
) -> None:
    with pytest.raises(registration.DetailsInvalid, match=sentence):
        register(tiny_folder, slug, **said)
    assert not BaseModel.objects.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"upscale": "4"},
        {"native_size": None},
        {"sizes": 5},
        {"sizes": [[32]]},
        {"few_steps": 0},
        {"live_steps": 0},
    ],
)
def test_register_refuses_a_folder_that_describes_itself_wrongly(
    tiny_folder: Path, tmp_path: Path, said: dict[str, object]
) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(tiny_folder, wrong, ignore=shutil.ignore_patterns("*.safetensors"))
    (wrong / "proofsheet.json").write_text(json.dumps(said))
    with pytest.raises((registration.DetailsInvalid, registration.NotAModelFolder)):
        register(wrong)
    assert not BaseModel.objects.exists()


def test_register_adapter_publishes_it_once(tiny_folder: Path, tmp_path: Path) -> None:
    model = register(tiny_folder)
    file = tiny_pipeline.build_adapter(tmp_path / "flat.safetensors", tiny_folder, rank=4)
    said = registration.AdapterDetails(slug="flat", name="Flat", trigger="flat style")
    first = registration.register_adapter(file, model, said, at=NOON)
    again = registration.register_adapter(file, model, said, at=NOON)
    assert first.pk == again.pk
    assert (first.rank, first.state, first.visibility) == (4, "published", "public")
    assert Path(first.file.path).read_bytes() == file.read_bytes()


def test_register_adapter_refuses_a_rank_above_the_ceiling(
    tiny_folder: Path, tmp_path: Path
) -> None:
    model = register(tiny_folder, rank_ceiling=4)
    file = tiny_pipeline.build_adapter(tmp_path / "big.safetensors", tiny_folder, rank=8)
    with pytest.raises(registration.ShippedAdapterRefused, match="rank 8; the model allows 4"):
        registration.register_adapter(
            file, model, registration.AdapterDetails(slug="big", name="Big"), at=NOON
        )
    assert not Adapter.objects.exists()


def test_command_registers_and_says_what_it_found(tiny_folder: Path) -> None:
    out = StringIO()
    call_command(
        "register_model", "tiny", folder=tiny_folder, size=[(32, 32), (64, 64)],
        tier="gpu-8g", stdout=out,
    )  # fmt: skip
    model = BaseModel.objects.get(slug="tiny")
    assert model.sizes == [[32, 32], [64, 64]]
    assert "tiny: Stable Diffusion 1.5" in out.getvalue()
    assert "GPU, 8 GiB" in out.getvalue()


def test_command_says_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no diffusion pipeline that Proofsheet knows"):
        call_command("register_model", "x", folder=_folder(tmp_path, {"_class_name": "Other"}))


@pytest.mark.parametrize(
    ("revision", "sentence"), [(None, "Pin the model"), ("a" * 40, "not in the local cache")]
)
def test_command_takes_only_a_pinned_revision_of_the_local_cache(
    revision: str | None, sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("register_model", "x", hub="some/model", revision=revision)


def test_only_one_model_is_the_default() -> None:
    make_model()
    assert BaseModel.objects.filter(is_default=True).count() == 1


def _folder(path: Path, index: dict[str, str]) -> Path:
    (path / "model_index.json").write_text(json.dumps(index))
    return path
