"""A house that is being looked after: nobody is let in and nothing more is drawn, on any host.

Begun by a row, so that every process hears of it within seconds, or by MAINTENANCE=1 for a process
that starts while the database is away.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from config.core.errors import ProofsheetError
from config.core.ttl_cache import remembered
from generation.models import Occurrence

ROW = "maintenance"


class UnderMaintenance(ProofsheetError):
    """Whoever comes is told to come back."""

    default_code = "maintenance"
    default_message = "This house is being looked after and is back soon."
    default_advice = "Nothing that was asked for is lost. Try again in a few minutes."
    default_status = 503
    retry_after_s = 60


def begin(*, at: datetime) -> None:
    """Let nobody in from now on."""
    Occurrence.objects.update_or_create(name=ROW, defaults={"at": at})


def end() -> None:
    """Open the house again."""
    Occurrence.objects.filter(name=ROW).delete()


def is_on() -> bool:
    """A moment old."""
    return settings.PROOFSHEET_MAINTENANCE or _has_begun(ROW)


@remembered
def _has_begun(name: str) -> bool:
    return Occurrence.objects.filter(name=name).exists()
