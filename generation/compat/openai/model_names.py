"""Models under `/v1/`: our slugs, and names that clients insist on, as the setting gives them.

Some clients list only what holds `gpt-image` or `dall-e`, and some ask for one such name whatever
the server says; `OPENAI_MODEL_ALIASES` says which of ours each stands for.
"""

from __future__ import annotations

from django.conf import settings

from adapters.access import visibility
from adapters.models import BaseModel
from config.core.ttl_cache import remembered

_find_model = remembered(visibility.find_model)


def slug_of(name: str | None) -> str | None:
    """The slug of a model that a client names; None for the default one.

    Raises ModelNotRegistered, with the name, and NoModel.
    """
    return model_of(name).slug if name else None


def model_of(name: str | None) -> BaseModel:
    """The model that a client names. Raises ModelNotRegistered, with the name, and NoModel."""
    try:
        return _find_model(aliases().get(name, name) if name else None)
    except visibility.ModelNotRegistered as error:
        raise visibility.ModelNotRegistered(
            message=f"The model {str(name)[:64]!r} does not exist here.",
            advice="GET /v1/models lists those that do.",
        ) from error


def aliases() -> dict[str, str]:
    """Alias to slug; an empty slug is the default model."""
    pairs = (entry.partition("=") for entry in settings.PROOFSHEET_OPENAI_ALIASES)
    return {name.strip(): slug.strip() for name, _, slug in pairs}


def listed() -> list[tuple[str, BaseModel]]:
    """Every name that can be asked for with its model, the default one's slug first."""
    models = list(visibility.active_models())
    by_slug = {model.slug: model for model in models}
    found = list(by_slug.items())
    for name, slug in aliases().items():
        model = by_slug.get(slug) if slug else next(iter(models), None)
        if model is not None and name not in by_slug:
            found.append((name, model))
    return found
