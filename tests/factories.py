"""Rows that tests start from. Every function takes what the test is about and fills in the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.utils import timezone

from adapters.base_models import registration
from adapters.models import Adapter, BaseModel, Family
from config.accounts.api_keys import key_format
from config.core.projects import personal
from config.models import ApiKey
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    LeaseTerm,
    RequestStatus,
    private_storage,
)
from provenance.assets.marking import encode_png

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def make_model(**said: Any) -> BaseModel:
    """A registered model whose folder does not exist: enough for everything but rendering."""
    defaults = {
        "slug": "tiny",
        "name": "Tiny",
        "family": Family.STARTER,
        "folder": "var/no-such-model",
        "digest": "a" * 64,
        "native_size": 32,
        "upscale": 8,
        "sizes": [[256, 256], [512, 512]],
        "default_steps": 4,
        "few_steps": 2,
        "is_default": True,
        "created_at": NOON,
    }
    return BaseModel.objects.create(**defaults | said)


def register_folder(folder: Path, **said: Any) -> BaseModel:
    """Register a real pipeline folder (see tests/tiny_pipeline.py) under the name "tiny"."""
    details = registration.ModelDetails(name="Tiny", sizes=((256, 256),), default_steps=4)
    model = registration.register_model("tiny", folder, details, at=NOON)
    for name, value in said.items():
        setattr(model, name, value)
    model.save()
    return model


def make_adapter(model: BaseModel, **said: Any) -> Adapter:
    """A published adapter that everybody may use; its file is not one that could be loaded."""
    slug = said.get("slug", "flat")
    defaults = {
        "slug": slug,
        "name": slug.title(),
        "base_model": model,
        "file": f"adapters/{slug}.safetensors",
        "sha256": (slug.encode().hex() + "b" * 64)[:64],
        "size_bytes": 1,
        "rank": 4,
        "state": Adapter.State.PUBLISHED,
        "visibility": Adapter.Visibility.PUBLIC,
        "created_at": NOON,
    }
    if owner := said.get("owner"):
        defaults["project"] = personal.project_of(owner)
    return Adapter.objects.create(**defaults | said)


def make_request(
    owner: User, model: BaseModel, *, status: str = RequestStatus.QUEUED, **said: Any
) -> GenerationRequest:
    """A request in any state, with the columns that its state asks for."""
    at = said.pop("created_at", NOON)
    defaults: dict[str, Any] = {
        "prompt": "a red apple",
        "steps": 4,
        "guidance": 5.0,
        "seed": 7,
        "width": 256,
        "height": 256,
    }
    is_waiting = status in {RequestStatus.SUBMITTED, RequestStatus.QUEUED, RequestStatus.RUNNING}
    if status != RequestStatus.SUBMITTED:
        defaults["queued_at"] = at
    if status == RequestStatus.RUNNING:
        lease = {"lease_token": uuid4(), "lease_worker": "gone:1", "started_at": at, "attempts": 1}
        defaults |= lease
    if not is_waiting:
        defaults["ended_at"] = at
    if status == RequestStatus.FINISHED:
        defaults["made"] = 1
    if status in {RequestStatus.REFUSED, RequestStatus.FAILED}:
        defaults["code"] = "prompt_refused" if status == RequestStatus.REFUSED else "render_failed"
    defaults["project"] = personal.project_of(owner)
    leased_until = said.pop("lease_expires_at", at + timedelta(seconds=20))
    request = GenerationRequest.objects.create(
        owner=owner, model=model, status=status, created_at=at, **defaults | said
    )
    if status == RequestStatus.QUEUED:
        request.stand_in_line()
    if request.lease_token is not None:
        LeaseTerm.objects.create(
            request=request, token=request.lease_token, expires_at=leased_until
        )
    return request


def make_image(
    owner: User,
    model: BaseModel,
    *,
    state: str = ImageState.RELEASED,
    request: GenerationRequest | None = None,
    **said: Any,
) -> GeneratedImage:
    """An image with a real PNG in private storage; unmarked, for only a worker marks."""
    at = said.pop("created_at", NOON)
    if request is None:
        prompt = said.get("prompt", "a red apple")
        request = make_request(
            owner, model, status=RequestStatus.FINISHED, created_at=at, prompt=prompt
        )
    name = private_storage().save(f"images/{request.id}/{uuid4()}.png", ContentFile(png()))
    defaults: dict[str, Any] = {
        "request": request,
        "owner": owner,
        "project": request.project,
        "state": state,
        "code": "" if state == ImageState.RELEASED else "image_held",
        "released_at": at if state == ImageState.RELEASED else None,
        "file": name,
        "sha256": "c" * 64,
        "size_bytes": len(png()),
        "width": request.width,
        "height": request.height,
        "prompt": request.prompt,
        "seed": request.seed,
        "steps": request.steps,
        "guidance": request.guidance,
        "model_slug": model.slug,
        "model_name": model.name,
        "model_digest": model.digest,
    }
    return GeneratedImage.objects.create(created_at=at, **defaults | said)


def png() -> bytes:
    """A small picture."""
    import numpy as np

    return encode_png(np.full((32, 32, 3), 200, dtype=np.uint8))


def make_key(owner: User, *scopes: str, days: int = 30) -> str:
    """An API key of that account, with every scope if none is named."""
    key, now = key_format.new_key(), timezone.now()
    ApiKey.objects.create(
        owner=owner,
        project=personal.project_of(owner),
        name="a program",
        digest=key_format.digest_of(key),
        hint=key_format.hint_of(key),
        scopes=sorted(scopes or ApiKey.Scope.values),
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    return key


def forget_models() -> None:
    """Drop every loaded model, as a restart of the process would."""
    from generation.hardware import devices  # torch is kept out of what the web is tried with

    with devices._lock:
        devices._loaded.clear()
