"""Adapters and models as pages show them: frozen values, so that no template runs a query."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from adapters.formats.detection import FORMATS
from adapters.formats.target_modules import FAMILY_NAMES
from adapters.models import STOPPED, Adapter, AdapterExample, BaseModel
from adapters.publishing import examples
from config.core.ownership import Person

STATES: dict[str, tuple[str, str]] = {
    Adapter.State.UPLOADED: ("Waiting to be checked", "warn"),
    Adapter.State.VALIDATING: ("Being checked", "warn"),
    Adapter.State.ACCEPTED: ("Ready", "good"),
    Adapter.State.REJECTED: ("Does not fit", "bad"),
    Adapter.State.PUBLISHED: ("Public", "good"),
    Adapter.State.WITHDRAWN: ("Withdrawn", "bad"),
}


@dataclass(frozen=True, slots=True)
class ExampleCard:
    """An example picture; `report_url` leads to its report form."""

    url: str
    prompt: str
    seed: int
    report_url: str


@dataclass(frozen=True, slots=True)
class AdapterCard:
    """An adapter as `by` sees it, `is_own` if of a project in which they act; `tone` is the colour
    of its state: good, warn or bad."""

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
    examples: tuple[ExampleCard, ...]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A base model in a newcomer's words; `sizes` are (width, height) in pixels."""

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


def card_of(adapter: Adapter, *, by: Person, acts_in: Container[UUID]) -> AdapterCard:
    """The card for `by`, who acts in those projects; model, owner and examples of `adapter` are
    loaded with it."""
    label, tone = _label(adapter)
    is_uploader = adapter.owner_id is not None and adapter.owner_id == by.pk
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
        by="you"
        if is_uploader
        else adapter.owner.get_username()
        if adapter.owner
        else "Proofsheet",
        is_own=adapter.project_id in acts_in,
        label=label,
        tone=tone,
        studio_query=_studio_query(adapter),
        examples=examples_of(adapter, by=by),
    )


def examples_of(adapter: Adapter, *, by: Person) -> tuple[ExampleCard, ...]:
    """The pictures that are shown to `by`; `adapter.examples` is prefetched."""
    shown = [
        row
        for row in adapter.examples.all()
        if row.state == AdapterExample.State.SHOWN and examples.may_see(row, by=by)
    ]
    return tuple(
        ExampleCard(
            url=reverse("adapters:example", args=[adapter.slug, row.position]),
            prompt=row.prompt,
            seed=row.seed,
            report_url=reverse("adapters:report", args=[adapter.slug, row.position]),
        )
        for row in sorted(shown, key=lambda row: row.position)
    )


def _label(adapter: Adapter) -> tuple[str, str]:
    if adapter.is_refused:
        verb = "Withdrawn" if adapter.code == STOPPED else "Refused"
        return f"{verb} by a moderator", "bad"
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
    """In the order given."""
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


@dataclass(frozen=True, slots=True)
class ReportCard:
    """A report in a newcomer's words. `layers` are (name, rank, kept share or None)."""

    accepted: bool
    code: str
    message: str
    advice: str
    format: str
    family: str
    rank_min: int
    rank_max: int
    scaling: str
    targets: tuple[tuple[str, int], ...]
    tensors: int
    parameters: int
    dtypes: str
    resident_mib: float
    warnings: tuple[str, ...]
    metadata: tuple[tuple[str, str], ...]
    layers: tuple[tuple[str, int, float | None], ...]
    kept_min: float | None
    kept_mean: float | None


COMPONENTS = {
    "unet": "Picture network (UNet)",
    "transformer": "Picture network (transformer)",
    "text_encoder": "Text encoder",
    "text_encoder_2": "Second text encoder",
}


def report_of(adapter: Adapter) -> ReportCard | None:
    """None until the adapter has been checked."""
    said = adapter.report
    if not said:
        return None
    rank = said.get("rank", {})
    kept = said.get("kept", {})
    alpha = said.get("alpha", {})
    by_layer = kept.get("by_module", {})
    return ReportCard(
        accepted=said["accepted"],
        code=said.get("code") or "",
        message=said.get("message", ""),
        advice=said.get("advice", ""),
        format=FORMATS.get(said.get("format", ""), "unknown"),
        family=FAMILY_NAMES.get(said.get("family") or "", ""),
        rank_min=rank.get("min", 0),
        rank_max=rank.get("max", 0),
        scaling=_range(alpha.get("scaling_min"), alpha.get("scaling_max")),
        targets=tuple(
            (COMPONENTS.get(name, name), count) for name, count in said.get("targets", {}).items()
        ),
        tensors=said.get("tensors", 0),
        parameters=said.get("parameters", 0),
        dtypes=", ".join(said.get("dtypes", ())),
        resident_mib=said.get("resident_mib", 0),
        warnings=tuple(said.get("warnings", ())),
        metadata=tuple(said.get("metadata", {}).items()),
        layers=tuple(
            (name, layer_rank, round(100 * by_layer[name], 1) if name in by_layer else None)
            for name, layer_rank in rank.get("by_module", {}).items()
        ),
        kept_min=round(100 * kept["min"], 1) if kept else None,
        kept_mean=round(100 * kept["mean"], 1) if kept else None,
    )


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
