"""Which adapters a request may wear when its turn comes.

The rule is that of its submission, asked again: what `adapters.access` lets its owner use now. A
moderator's withdrawal or refusal takes an adapter from everybody at once, its owner included; an
owner's withdrawal too, and taking it back from the public or from a link takes it from everybody
else. A licence tells others what they may do with what they have; it promises no further service,
and nobody received the file. So a request that waited is no exception, whoever withdrew; pictures
that are made stay. One that only waits for a moderator is its owner's to use: the review's own
example pictures are made with it.
"""

from __future__ import annotations

from adapters.access import visibility
from generation.models import GenerationRequest, RequestAdapter
from generation.request_rules.failures import AdapterGone


def adapters_of(request: GenerationRequest) -> list[RequestAdapter]:
    """The request's adapters in their order, all of them usable still. Raises AdapterGone."""
    rows = list(request.request_adapters.select_related("adapter").order_by("position"))
    if not rows:
        return []
    usable = visibility.usable_by(request.owner, request.model)
    allowed = set(
        usable.filter(pk__in=[row.adapter_id for row in rows]).values_list("pk", flat=True)
    )
    if gone := [row.adapter.name for row in rows if row.adapter_id not in allowed]:
        raise AdapterGone(gone)
    return rows
