"""How much there is to draw: what render workers are scaled by."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from generation.hardware import hardware_queues


def device_s() -> dict[str, float]:
    """By queue, the device time that is predicted for all that was accepted and is not finished.

    As `generation_demand` has it, which whoever scales from outside reads as well.
    """
    demand = dict.fromkeys(hardware_queues.queues(), 0.0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tier, device_seconds FROM generation_demand")
        for tier, seconds in cursor.fetchall():
            own = tier in settings.PROOFSHEET_HARDWARE_QUEUES
            demand[tier if own else hardware_queues.ANY] += float(seconds)
    return demand
