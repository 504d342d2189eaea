"""Reports of a period, in the indicators of the EU template (DSA Art. 15(1)(b))."""

from datetime import timedelta
from statistics import median

from django.db.models import F, QuerySet

from moderation.decisions.allowed_actions import UNFOUNDED
from moderation.models import Report
from moderation.subjects.actions import RESTRICTIONS


def count(received: QuerySet[Report]) -> dict[str, int | float | None]:
    """Indicator of the reports to value; None where there is nothing to take a median of."""
    decided = received.filter(case__decision__isnull=False)
    refused = decided.filter(case__decision__action__in=RESTRICTIONS)
    spans = [
        span.total_seconds()
        for span in decided.annotate(
            span=F("case__decision__decided_at") - F("received_at")
        ).values_list("span", flat=True)
        if span >= timedelta()
    ]
    return {
        "Notices: total number": received.count(),
        "Notices: number submitted by trusted flaggers": received.filter(is_trusted=True).count(),
        "Notices: number followed by a measure": refused.count(),
        "Notices: number found manifestly unfounded": decided.filter(
            case__decision__reason=UNFOUNDED
        ).count(),
        "Notices: not yet decided": received.filter(case__decision__isnull=True).count(),
        "Notices: median time to decision in hours": round(median(spans) / 3600, 2)
        if spans
        else None,
    }
