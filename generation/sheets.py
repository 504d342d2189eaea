"""Sheets of several requests at once, and making an earlier image again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from generation import requests
from generation.drafts import Draft
from generation.models import GeneratedImage, GenerationRequest


def submit_all(
    drafts: list[Draft], *, by: AbstractBaseUser, at: datetime, key: str | None = None
) -> list[GenerationRequest]:
    """Submit all drafts or none. The same drafts under the same `key` are submitted once.

    Raises what `requests.submit` raises.
    """
    with transaction.atomic():
        return [
            requests.submit(
                draft,
                by=by,
                at=at,
                idempotency_key=f"{key}:{index}:{draft.sha256()[:32]}" if key else None,
            ).request
            for index, draft in enumerate(drafts)
        ]


def delete_all(image_ids: list[UUID], *, by: AbstractBaseUser, at: datetime) -> None:
    """Delete all of these images or, when one of them may not be deleted, none.

    Raises what `requests.delete_image` raises.
    """
    with transaction.atomic():
        for image_id in image_ids:
            requests.delete_image(image_id, by=by, at=at)


def draft_of(image: GeneratedImage, *, keeps_seed: bool) -> Draft:
    """The draft that makes `image` again, or a variant of it under a new random seed."""
    return Draft(
        prompt=image.prompt,
        negative_prompt=image.negative_prompt,
        model=image.model_slug,
        steps=image.steps,
        guidance=image.guidance,
        seed=image.seed if keeps_seed else None,
        width=image.width,
        height=image.height,
        adapters=tuple((adapter["slug"], adapter["weight"]) for adapter in image.adapters),
    )
