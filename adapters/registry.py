"""Registers base models from their folders, and the adapters that ship with them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction

from adapters import bases, inspection
from adapters.models import Adapter, Architecture, BaseModel, Family, private_storage
from provenance.errors import ProofsheetError


class NotAModelFolder(ProofsheetError):
    default_code = "not_a_model_folder"
    default_status = 422
    default_message = "That folder holds no diffusion pipeline that Proofsheet knows."
    default_advice = "Give the folder that holds model_index.json, with safetensors weights."


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
    slug: str
    name: str
    description: str = ""
    trigger: str = ""
    licence: str = ""


def register_model(slug: str, folder: Path, details: ModelDetails, *, at: datetime) -> BaseModel:
    """Register a pipeline folder, or bring an earlier registration up to date.

    Reads configuration only, no weights beyond their digest. Loads torch the first time that it
    sees a folder, to find its layers. Raises NotAModelFolder.
    """
    folder = folder.resolve()
    said = _defaults(folder, slug) | {
        key: value for key in ModelDetails.__slots__ if (value := getattr(details, key)) is not None
    }
    said["folder"] = _relative(folder)
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


def _layers(slug: str, folder: Path, digest: str) -> dict[str, Any] | None:
    """The folder's layers by component; None when they are known of this very folder."""
    if Architecture.objects.filter(base_model__slug=slug, base_model__digest=digest).exists():
        return None
    from adapters import architecture  # loads torch

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
    report = inspection.inspect(file, base=bases.of_model(model)).report
    if not report.accepted:
        raise ShippedAdapterRefused(report.code, report.message, report.advice)
    said: dict[str, Any] = {
        "name": details.name,
        "description": details.description,
        "trigger": details.trigger,
        "licence": details.licence,
        "base_model": model,
        "sha256": report.sha256,
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
        "name", "description", "default_steps", "few_steps", "default_guidance",
        "rank_ceiling", "licence", "native_size", "upscale", "sizes", "family", "tier",
    }  # fmt: skip
    defaults: dict[str, Any] = {"name": slug, "family": family, "native_size": native}
    defaults |= {key: value for key, value in said.items() if key in known}
    if defaults["family"] not in Family.values:
        raise NotAModelFolder(message=f"“{str(defaults['family'])[:40]}” is no model family.")
    side = defaults["native_size"] * defaults.get("upscale", 1)
    return {"sizes": [[side, side]]} | defaults


def _family_and_size(folder: Path) -> tuple[Family, int]:
    """By the pipeline's class and the width of its text; pixels a side out of the VAE."""
    pipeline = _read_json(folder / "model_index.json").get("_class_name")
    if pipeline == "FluxPipeline":
        return Family.FLUX, 1024
    if pipeline not in ("StableDiffusionPipeline", "StableDiffusionXLPipeline"):
        raise NotAModelFolder
    unet, vae = _read_json(folder / "unet/config.json"), _read_json(folder / "vae/config.json")
    try:
        native = int(unet["sample_size"]) * 2 ** (_vae_levels(vae) - 1)
    except (KeyError, TypeError, ValueError) as error:
        raise NotAModelFolder from error
    if pipeline == "StableDiffusionXLPipeline":
        return Family.SDXL, native
    return Family.SD21 if unet.get("cross_attention_dim") == 1024 else Family.SD15, native


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
