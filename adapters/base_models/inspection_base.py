"""Registered models as an inspection needs them."""

from __future__ import annotations

from adapters.checks.inspection import Base
from adapters.formats.target_modules import Layout, of_family
from adapters.models import Architecture, BaseModel


def of_model(model: BaseModel) -> Base:
    """By the model's own layers; by its family's where it was registered without them."""
    found = Architecture.objects.filter(base_model=model).first()
    layout = Layout.of(model.family, found.components) if found else of_family(model.family)
    return Base(model.name, layout, model.rank_ceiling)


def find(slug: str) -> Base | None:
    """The registered model of that slug as the base of an inspection, or None."""
    model = BaseModel.objects.filter(slug=slug).first()
    return of_model(model) if model else None
