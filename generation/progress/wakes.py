"""Tells whoever waits for a request, in whatever process, that there is something new to see."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db.models.signals import post_save

from config.core import events, notify
from generation.models import GenerationRequest


def connect() -> None:
    """Once, when every application is loaded."""
    post_save.connect(
        _tell_of_end, sender=GenerationRequest, dispatch_uid="generation.request_wakes"
    )


def wake_name(request_id: UUID) -> str:
    """Under which one sleeps until the request has something new."""
    return f"wake:request:{request_id}"


def tell(request_id: UUID) -> None:
    """Wake one who waits for it. Who sees that it is over tells the next."""
    notify.wake(wake_name(request_id))


def _tell_of_end(instance: GenerationRequest, **_: Any) -> None:
    """Held counts as an end: a person may take days. The live page is told by itself."""
    if not instance.is_live and (instance.is_held or not instance.is_active):
        events.after_commit(partial(tell, instance.id))
