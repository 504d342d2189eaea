"""From an event to one delivery for each endpoint that wants it, in the event's own transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from config.core import events
from config.core.watching import tracing
from config.webhooks.models import Delivery, Endpoint


def connect() -> None:
    """Listen to what projects are told."""
    events.told.connect(write, dispatch_uid="webhooks.write")


def write(*, event: events.ProjectEvent, **_: Any) -> None:
    """Write the deliveries; their tickets go out after the commit."""
    found = Endpoint.objects.filter(project_id=event.project_id, off_at=None)
    wanting = [endpoint for endpoint in found if endpoint.wants(event.type)]
    if not wanting:
        return
    event_id, body = new_id(), body_of(event.type, event.said(), at=event.at)
    Delivery.objects.bulk_create(
        Delivery(
            endpoint=endpoint,
            event_id=event_id,
            type=event.type,
            body=body,
            traceparent=tracing.traceparent(),
            written_at=event.at,
            due_at=event.at,
        )
        for endpoint in wanting
    )
    for endpoint in wanting:
        ask_to_deliver(endpoint.id)


def new_id() -> str:
    """The id that an event has at every attempt and every endpoint."""
    return f"evt_{uuid4().hex}"


def body_of(type: str, data: Mapping[str, Any], *, at: datetime) -> str:
    """What is sent, to the letter."""
    said = {"type": type, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


def ask_to_deliver(endpoint_id: UUID) -> None:
    """Send a ticket for what is due at that endpoint."""
    events.send("config.webhooks.tasks.deliver", str(endpoint_id))
