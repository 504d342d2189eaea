"""Waiting for a job's end without a connection: a wake ends the sleep, and once in some
seconds one looks without it. The key that asked is looked at each time, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.utils import timezone

from config.core import database_connections, notify
from config.core.errors import ProofsheetError
from generation.compat.jobs import Job
from generation.models import GenerationRequest, RequestStatus
from generation.progress import wakes

if TYPE_CHECKING:
    from config.models import ApiKey

PATIENCE_S = 3.0
LONGEST_S = 590.0  # clients wait 600


class KeyEnded(ProofsheetError):
    """The key that asked was revoked meanwhile, or has ended."""

    default_code = "key_not_good"
    default_message = "The API key was revoked, or has ended, while the picture was made."
    default_advice = "Ask again with another key."
    default_status = 401


class NotReadyYet(ProofsheetError):
    """The job goes on; a repeat joins it."""

    default_code = "not_ready_yet"
    default_message = "The picture is not ready yet; it is still being made."
    default_advice = "Send the same request again: it joins the one that runs."
    default_status = 503


@dataclass(frozen=True, slots=True)
class Look:
    """The job as it stands now."""

    job: Job

    @property
    def is_over(self) -> bool:
        """Held is over too: a person may take days."""
        return all(row.is_held or not row.is_active for row in self.job.requests)

    @property
    def is_screened(self) -> bool:
        """Whether every prompt has been judged."""
        return self.is_over or all(
            row.status != RequestStatus.SUBMITTED for row in self.job.requests
        )


async def looks(job: Job) -> AsyncIterator[Look]:
    """Now, and whenever there may be something new; the last one is over.

    Raises KeyEnded, NotReadyYet.
    """
    clock = asyncio.get_running_loop().time
    ends_at = clock() + LONGEST_S
    names = [wakes.wake_name(request_id) for request_id in job.ids]
    look_aside = sync_to_async(look, thread_sensitive=False)
    while True:
        found = await look_aside(job)
        yield found
        if found.is_over:
            return
        if clock() > ends_at:
            raise NotReadyYet
        await notify.sleep_until(*names, seconds=PATIENCE_S)


async def until_over(job: Job) -> Job:
    """The job once all of it is over. Raises KeyEnded, NotReadyYet."""
    async for found in looks(job):
        if found.is_over:
            return found.job
    raise NotReadyYet


def require_good(key: ApiKey | None) -> None:
    """Raises KeyEnded."""
    if key is None or not key.is_still_good(at=timezone.now()):
        raise KeyEnded


@database_connections.given_back
def look(job: Job) -> Look:
    """From the database. Whoever sees the end wakes the next who waits for it. Raises KeyEnded."""
    require_good(job.caller.key)
    rows = GenerationRequest.objects.filter(project=job.caller.project, deleted_at__isnull=True)
    by_id = rows.select_related("model").in_bulk(job.ids)
    fresh = tuple(by_id[request_id] for request_id in job.ids if request_id in by_id)
    found = Look(replace(job, requests=fresh))
    if found.is_over:
        notify.wake(*(wakes.wake_name(request_id) for request_id in job.ids))
    return found
