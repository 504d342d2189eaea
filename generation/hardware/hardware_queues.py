"""Which Celery queue a request waits in, where hosts have different hardware.

One queue takes every model, unless HARDWARE_QUEUES names tiers (`gpu-24g`) with workers of their
own: whoever has room for 8 GiB then never claims what needs 24.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.db.models import Q

from adapters.models import BaseModel, Tier
from generation.models import GenerationRequest

ANY = "gpu"


def queues() -> tuple[str, ...]:
    """All queues that render, the one for whatever has none of its own first."""
    return ANY, *settings.PROOFSHEET_HARDWARE_QUEUES


def queue_of(model: BaseModel) -> str:
    """The queue of the model's hardware tier where HARDWARE_QUEUES names it, else `gpu`."""
    return model.tier if model.tier in settings.PROOFSHEET_HARDWARE_QUEUES else ANY


def queue_of_request(request: GenerationRequest) -> str:
    """Asks for the model only where it matters."""
    return queue_of(request.model) if settings.PROOFSHEET_HARDWARE_QUEUES else ANY


def models_of(queue: str) -> list[int] | None:
    """Primary keys of the models whose requests wait in `queue`; None for all there are."""
    own = settings.PROOFSHEET_HARDWARE_QUEUES
    if not own:
        return None
    chosen = ~Q(tier__in=own) if queue == ANY else Q(tier=queue)
    return list(BaseModel.objects.filter(chosen).values_list("pk", flat=True))


def check_names(**_: Any) -> list[checks.CheckMessage]:
    """A queue that is no tier of any model would stay empty, and its workers idle."""
    tiers = [tier for tier in Tier.values if tier != Tier.CPU]
    return [
        checks.Error(
            f"HARDWARE_QUEUES names {name!r}, which is no hardware tier.",
            hint=f"Choose among {', '.join(tiers)}.",
            id="generation.E001",
        )
        for name in settings.PROOFSHEET_HARDWARE_QUEUES
        if name not in tiers
    ]


def waiting_in(queue: str) -> Q:
    """The condition on requests. By primary keys: a join would lock the models' rows as well."""
    models = models_of(queue)
    return Q() if models is None else Q(model__in=models)
