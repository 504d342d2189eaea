"""Registers base models from their folders, and the adapters that ship with them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction

from adapters.base_models import inspection_base
from adapters.checks import inspection, rewrite
from adapters.checks.rewrite import TensorSource
from adapters.models import Adapter, Architecture, BaseModel, Family, private_storage
from config.core.errors import ProofsheetError

ALIKE = {Family.STARTER, Family.SD15, Family.SD21}  # one pipeline, told apart by more than it
# By the pipeline's class; the first whose numbers are those of the network's configuration.
PIPELINES: dict[str, dict[Family, dict[str, Any]]] = {
    "StableDiffusionPipeline": {Family.SD21: {"cross_attention_dim": 1024}, Family.SD15: {}},
    "StableDiffusionXLPipeline": {Family.SDXL: {}},
    "StableDiffusion3Pipeline": {
        Family.SD35_LARGE: {"num_layers": 38},
        Family.SD35_MEDIUM: {"qk_norm": "rms_norm"},
        Family.SD3_MEDIUM: {},
    },
    "FluxPipeline": {Family.FLUX: {}},
    "ZImagePipeline": {Family.Z_IMAGE: {}},
}
TRANSFORMERS_SIZE = 1024  # pixels a side, which no configuration names


class NotAModelFolder(ProofsheetError):
    """The folder is missing, or its files are not those of a known pipeline."""

    default_code = "not_a_model_folder"
    default_status = 422
    default_message = "That folder holds no diffusion pipeline that Proofsheet knows."
    default_advice = "Give the folder that holds model_index.json, with safetensors weights."


class DetailsInvalid(ProofsheetError):
    """What was said of a model, or found in its folder, does not fit; `message` says what."""

    default_code = "model_details_invalid"
    default_status = 422
    default_advice = "Correct it on the command line, or in the folder's proofsheet.json."


class ShippedAdapterRefused(ProofsheetError):
    """Carries the verdict on a file that was to ship with the project."""

    default_code = "adapter_refused"
    default_status = 422


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What an operator may say; None is taken from the folder's proofsheet.json or its configs."""

    name: str | None = None
    family: str | None = None
    sizes: tuple[tuple[int, int], ...] | None = None
    default_steps: int | None = None
    default_guidance: float | None = None
    rank_ceiling: int | None = None
    tier: str | None = None
    hub_id: str | None = None
    hub_revision: str | None = None
    licence: str | None = None
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class AdapterDetails:
    """What is said of an adapter that ships with a model."""

    slug: str
    name: str
    description: str = ""
    trigger: str = ""
    licence: str = ""


def register_model(slug: str, folder: Path, details: ModelDetails, *, at: datetime) -> BaseModel:
    """Register a pipeline folder, or bring an earlier registration up to date.

    Reads configuration only, no weights beyond their digest. Loads torch the first time that it
    sees a folder, to find its layers. Raises NotAModelFolder, DetailsInvalid.
    """
    folder = folder.resolve()
    said = _defaults(folder, slug) | {
        key: value for key in ModelDetails.__slots__ if (value := getattr(details, key)) is not None
    }
    said["folder"] = _relative(folder)
    _check(slug, said, folder)
    said["digest"] = digest_of(folder)
    said["memory_mib"] = _memory_mib(folder)
    layers = _layers(slug, folder, said["digest"])
    with transaction.atomic():
        if details.is_default or not BaseModel.objects.exists():
            BaseModel.objects.exclude(slug=slug).update(is_default=False)
            said["is_default"] = True
        else:
            said.pop("is_default")
        model, _ = BaseModel.objects.update_or_create(
            slug=slug, defaults=said, create_defaults=said | {"created_at": at}
        )
        if layers is not None:
            Architecture.objects.update_or_create(base_model=model, defaults={"components": layers})
    return model


def _check(slug: str, said: dict[str, Any], folder: Path) -> None:
    """What the table would refuse, or a renderer fail on. Raises DetailsInvalid."""
    for name in (
        "native_size",
        "upscale",
        "default_steps",
        "few_steps",
        "live_steps",
        "rank_ceiling",
    ):
        if type(said.get(name, 1)) is not int or said.get(name, 1) < 1:
            raise DetailsInvalid(message=f"{name}: it is a whole number from 1 up.")
    try:
        BaseModel(slug=slug, **said).clean_fields(exclude=("digest", "created_at"))
    except ValidationError as error:
        [(name, texts), *_] = error.message_dict.items()
        raise DetailsInvalid(message=f"{name}: {texts[0]}") from error
    if not 0 <= float(said.get("default_guidance", 0)) < inf:
        raise DetailsInvalid(message="default_guidance: it is a number from 0 up.")
    found = _family_and_size(folder)[0]
    if said["family"] != found and not {said["family"], found} <= ALIKE:
        raise DetailsInvalid(
            message=f"family: the pipeline in that folder is one of {found.label}, not of "
            f"{Family(said['family']).label}."
        )
    step = _size_step(folder) * said.get("upscale", 1)
    sizes = said["sizes"] if isinstance(said["sizes"], (list, tuple)) else [None]
    if not all(_is_drawable(size, step) for size in sizes):
        raise DetailsInvalid(message=f"sizes: both sides are multiples of {step} for this model.")


def _is_drawable(size: Any, step: int) -> bool:
    sides = list(size) if isinstance(size, (list, tuple)) else []
    return len(sides) == 2 and all(type(n) is int and n > 0 and n % step == 0 for n in sides)


def _layers(slug: str, folder: Path, digest: str) -> dict[str, Any] | None:
    """The folder's layers by component; None when they are known of this very folder."""
    if Architecture.objects.filter(base_model__slug=slug, base_model__digest=digest).exists():
        return None
    from adapters.base_models import architecture  # loads torch

    try:
        return architecture.layers_of_folder(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAModelFolder(
            message="The configurations in that folder describe no model that can be built."
        ) from error


def _memory_mib(folder: Path) -> int:
    """Size of the weights, rounded up."""
    return -(-sum(path.stat().st_size for path in folder.rglob("*.safetensors")) // 2**20)


def register_adapter(
    file: Path, model: BaseModel, details: AdapterDetails, *, at: datetime
) -> Adapter:
    """Publish an adapter that ships with the project. Idempotent by slug and content.

    Raises ShippedAdapterRefused with the verdict's code.
    """
    found = inspection.inspect(file, base=inspection_base.of_model(model))
    report = found.report
    if not report.accepted:
        raise ShippedAdapterRefused(report.code, report.message, report.advice)
    said: dict[str, Any] = {
        "name": details.name,
        "description": details.description,
        "trigger": details.trigger,
        "licence": details.licence,
        "base_model": model,
        "sha256": report.sha256,
        "content_sha256": _content_digest(file, found),
        "size_bytes": report.bytes,
        "rank": report.rank,
        "report": report.as_stored(),
        "validated_at": at,
        "state": Adapter.State.PUBLISHED,
        "visibility": Adapter.Visibility.PUBLIC,
        "file": _store(file, report.sha256),
    }
    adapter, _ = Adapter.objects.update_or_create(
        slug=details.slug, defaults=said, create_defaults=said | {"created_at": at}
    )
    return adapter


def _content_digest(file: Path, found: inspection.Inspection) -> str:
    """Of the layers alone, so that a copy in another spelling is known for what it is."""
    assert found.header is not None, "it was accepted"
    with TemporaryDirectory() as folder:
        source = TensorSource(file, found.header, found.modules)
        return rewrite.write(source, Path(folder) / "canonical").content_sha256


def digest_of(folder: Path) -> str:
    """SHA-256 over the names and contents of the folder's files, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(folder).as_posix()}\0{_sha256(path)}\n".encode())
    return total.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _store(file: Path, sha256: str) -> str:
    """Content-addressed: the same file is stored once."""
    storage = private_storage()
    name = f"adapters/{sha256}.safetensors"
    if not storage.exists(name):
        with file.open("rb") as content:
            storage.save(name, File(content))
    return name


def _relative(folder: Path) -> str:
    root = Path(settings.ROOT)
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)


def _defaults(folder: Path, slug: str) -> dict[str, Any]:
    said_file = folder / "proofsheet.json"
    said = _read_json(said_file) if said_file.exists() else {}
    family, native = _family_and_size(folder)
    known = {
        "name", "description", "default_steps", "few_steps", "live_steps", "default_guidance",
        "rank_ceiling", "licence", "native_size", "upscale", "sizes", "family", "tier",
    }  # fmt: skip
    defaults: dict[str, Any] = {"name": slug, "family": family, "native_size": native}
    defaults |= {key: value for key, value in said.items() if key in known}
    if defaults["family"] not in Family.values:
        raise NotAModelFolder(message=f"“{str(defaults['family'])[:40]}” is no model family.")
    if "sizes" in defaults:
        return defaults
    try:
        side = int(defaults["native_size"]) * int(defaults.get("upscale", 1))
    except (TypeError, ValueError) as error:
        raise NotAModelFolder from error
    return defaults | {"sizes": [[side, side]]}


def _family_and_size(folder: Path) -> tuple[Family, int]:
    """By the pipeline's class and its network; pixels a side out of the VAE."""
    variants = PIPELINES.get(str(_read_json(folder / "model_index.json").get("_class_name")))
    if variants is None:
        raise NotAModelFolder
    kind = "unet" if (folder / "unet").is_dir() else "transformer"
    network, vae = _read_json(folder / kind / "config.json"), _read_json(folder / "vae/config.json")
    family = next(found for found, said in variants.items() if said.items() <= network.items())
    if kind == "transformer":
        return family, TRANSFORMERS_SIZE
    try:
        return family, int(network["sample_size"]) * 2 ** (_vae_levels(vae) - 1)
    except (KeyError, TypeError, ValueError) as error:
        raise NotAModelFolder from error


def _size_step(folder: Path) -> int:
    """Pixels a side out of the VAE that the engine draws at once: two latents."""
    pixels: int = 2 ** _vae_levels(_read_json(folder / "vae/config.json"))
    return pixels


def _vae_levels(vae: dict[str, Any]) -> int:
    """AutoencoderKL halves between its blocks; AutoencoderTiny names them for the encoder."""
    return len(vae.get("block_out_channels") or vae["encoder_block_out_channels"])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NotAModelFolder from error
    if not isinstance(value, dict):
        raise NotAModelFolder
    return value
