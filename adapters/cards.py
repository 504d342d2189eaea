"""Adapters and models as pages show them: frozen values, so that no template runs a query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from adapters.catalogue import User
from adapters.models import Adapter, BaseModel

STATES: dict[str, tuple[str, str]] = {
    Adapter.State.UPLOADED: ("Waiting to be checked", "warn"),
    Adapter.State.VALIDATING: ("Being checked", "warn"),
    Adapter.State.ACCEPTED: ("Ready", "good"),
    Adapter.State.REJECTED: ("Does not fit", "bad"),
    Adapter.State.PUBLISHED: ("Public", "good"),
    Adapter.State.WITHDRAWN: ("Withdrawn", "bad"),
}


@dataclass(frozen=True, slots=True)
class AdapterCard:
    slug: str
    url: str
    name: str
    description: str
    trigger: str
    tags: tuple[str, ...]
    licence: str
    rank: int | None
    size_bytes: int
    model_name: str
    by: str
    is_own: bool
    label: str
    tone: str
    studio_query: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    name: str
    description: str
    family: str
    sizes: tuple[tuple[int, int], ...]
    default_steps: int
    rank_ceiling: int
    memory_mib: int
    tier: str
    licence: str
    is_default: bool


def card_of(adapter: Adapter, *, by: User) -> AdapterCard:
    label, tone = _label(adapter)
    is_own = adapter.owner_id is not None and adapter.owner_id == by.pk
    return AdapterCard(
        slug=adapter.slug,
        url=adapter.get_absolute_url(),
        name=adapter.name,
        description=adapter.description,
        trigger=adapter.trigger,
        tags=tuple(adapter.tags),
        licence=adapter.licence,
        rank=adapter.rank,
        size_bytes=adapter.size_bytes,
        model_name=adapter.base_model.name if adapter.base_model else "",
        by="you" if is_own else adapter.owner.get_username() if adapter.owner else "Proofsheet",
        is_own=is_own,
        label=label,
        tone=tone,
        studio_query=_studio_query(adapter),
    )


def _label(adapter: Adapter) -> tuple[str, str]:
    if adapter.review_asked_at:
        return "Waiting for review", "warn"
    if adapter.state == Adapter.State.ACCEPTED and adapter.visibility == Adapter.Visibility.LINK:
        return "Shared by link", "good"
    return STATES[adapter.state]


def _studio_query(adapter: Adapter) -> str:
    """Opens the studio with the adapter's model and its trigger word; empty if not usable."""
    if not adapter.is_usable or adapter.base_model is None:
        return ""
    said = {"model": adapter.base_model.slug}
    if adapter.trigger:
        said["prompt"] = adapter.trigger
    return urlencode(said)


def model_cards(models: Iterable[BaseModel]) -> list[ModelCard]:
    return [
        ModelCard(
            name=model.name,
            description=model.description,
            family=model.get_family_display(),
            sizes=tuple((width, height) for width, height in model.sizes),
            default_steps=model.default_steps,
            rank_ceiling=model.rank_ceiling,
            memory_mib=model.memory_mib,
            tier=model.get_tier_display(),
            licence=model.licence,
            is_default=model.is_default,
        )
        for model in models
    ]
