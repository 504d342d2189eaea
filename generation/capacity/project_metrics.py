"""Prometheus metrics by project: what each has on its way, before people, appealed, and ended.

Projects of one person are told together, as `personal`: there are as many as accounts. Of the
others `MOST` are told by id, those that have the most, and the rest together as `others`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from config.core.watching.house_gauges import gauge
from generation.models import GenerationRequest, RequestStatus
from generation.models.requests import ACTIVE
from moderation.models import Appeal, ReviewCase

MOST = 500
HOUR = timedelta(hours=1)
ENDED = tuple(status for status in RequestStatus if status not in ACTIVE)


def families() -> Iterator[GaugeMetricFamily]:
    """Of requests, cases and appeals that are not over, and how the last hour's requests ended."""
    active = GenerationRequest.objects.filter(status__in=ACTIVE)
    undecided = ReviewCase.objects.exclude(status=ReviewCase.Status.DECIDED)
    lodged = Appeal.objects.filter(status=Appeal.Status.LODGED)
    yield _by_project("requests_active", "Requests on their way, by project.", active)
    yield _by_project("cases_undecided", "Cases that wait for a person, by project.", undecided)
    yield _by_project("appeals_lodged", "Appeals that nobody heard yet, by project.", lodged)
    of_hour = GenerationRequest.objects.filter(created_at__gt=timezone.now() - HOUR)
    for status in ENDED:
        text = f"Requests of the last hour that are {status}, by project."
        rows = of_hour.filter(status=status)
        yield _by_project(f"requests_{status}_of_hour", text, rows)


def _by_project(name: str, text: str, rows: QuerySet[Any]) -> GaugeMetricFamily:
    family = gauge(f"project_{name}", text, "project")
    shared = rows.filter(project__personal_of=None, project__isnull=False)
    by_project = shared.order_by().values_list("project_id").annotate(n=Count("pk"))
    counted = list(by_project.order_by("-n", "project_id"))
    for project_id, count in counted[:MOST]:
        family.add_metric([str(project_id)], count)
    family.add_metric(["others"], sum(count for _, count in counted[MOST:]))
    family.add_metric(["personal"], rows.filter(project__personal_of__isnull=False).count())
    return family
