"""Registers the model and the adapters that ship with the project. Needs no torch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.base_models.registration import (
    AdapterDetails,
    ModelDetails,
    register_adapter,
    register_model,
)
from adapters.models import Adapter, BaseModel
from config.core.errors import ProofsheetError
from generation.starter.layout import ADAPTERS, CATALOGUE, MODEL

SLUG = "starter"


class CatalogueInvalid(ProofsheetError):
    default_code = "shipped_catalogue_invalid"
    default_message = "The list of shipped adapters cannot be read."
    default_advice = "Restore generation/starter/adapters/ from the repository."


class EncoderMissing(ProofsheetError):
    default_code = "shipped_encoder_missing"
    default_message = "The shipped model's text encoder has not been written."
    default_advice = "Run `make install`, or `python -m generation.starter.prepare`."


@dataclass(frozen=True, slots=True)
class Registered:
    """`adapters` are all that ship; `renewed` the slugs whose file was new or had changed."""

    model: BaseModel
    adapters: tuple[Adapter, ...]
    renewed: tuple[str, ...]


def read_catalogue(folder: Path) -> list[tuple[Path, AdapterDetails]]:
    """Files with their details from `adapters.json`; nothing where none ship.

    Raises CatalogueInvalid.
    """
    path = folder / CATALOGUE
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text("utf-8"))
        return [
            (
                folder / f"{row['slug']}.safetensors",
                AdapterDetails(
                    slug=row["slug"],
                    name=row["name"],
                    description=row["description"],
                    trigger=row["trigger"],
                    licence=row["licence"],
                ),
            )
            for row in rows
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise CatalogueInvalid from error


def register(*, at: datetime, model_folder: Path = MODEL, adapters: Path = ADAPTERS) -> Registered:
    """Register what ships. Idempotent; takes no other model's place as the default one.

    An adapter whose file has not changed is left as it is, so a withdrawn one stays withdrawn.
    Raises EncoderMissing, NotAModelFolder, CatalogueInvalid and what `register_adapter` raises.
    """
    if not (model_folder / "text_encoder" / "model.safetensors").exists():
        raise EncoderMissing
    others = BaseModel.objects.exclude(slug=SLUG)
    details = ModelDetails(is_default=not others.filter(is_default=True).exists())
    model = register_model(SLUG, model_folder, details, at=at)
    registered, renewed = [], []
    for file, said in read_catalogue(adapters):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        known = Adapter.objects.filter(slug=said.slug, sha256=digest, base_model=model).first()
        if known is None:
            known = register_adapter(file, model, said, at=at)
            renewed.append(said.slug)
        registered.append(known)
    return Registered(model, tuple(registered), tuple(renewed))
