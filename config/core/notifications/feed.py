"""One list of what concerns a person, out of every room's own rows: nothing is written for it, so
what is erased is not told any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F, QuerySet

MOST_COUNTED = 99


@dataclass(frozen=True, slots=True)
class Notification:
    """A line of the list. `words` are the person's own, such as a prompt; `image` is one of theirs
    that has a thumbnail. `url` is empty where there is no page any more."""

    title: str
    url: str
    tone: Literal["good", "bad", "neutral"] = "neutral"
    words: str = ""
    image: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewsSource:
    """A kind of rows. `at` is the lookup of the moment at which a row is told, null for one that
    is not told yet. Where `begins` is named, a row is told within `within` of that moment, which an
    index finds: what is new is then looked for among few."""

    rows: Callable[[User], QuerySet[Any]]
    at: str
    tell: Callable[[Any], Notification]
    begins: str = ""
    within: timedelta = timedelta()

    def dated(self, user: User) -> QuerySet[Any]:
        """The person's rows that are told, with `told_at`."""
        rows: QuerySet[Any] = self.rows(user).annotate(told_at=F(self.at))
        return rows.filter(told_at__isnull=False)

    def since(self, user: User, moment: datetime) -> QuerySet[Any]:
        """Those that were told after it."""
        rows = self.dated(user).filter(told_at__gt=moment)
        return rows.filter(**{f"{self.begins}__gt": moment - self.within}) if self.begins else rows


_sources: dict[str, NewsSource] = {}


def register(name: str, source: NewsSource) -> None:
    """Have its rows told from now on."""
    _sources[name] = source


def newest(
    user: User, *, limit: int, before: datetime | None = None
) -> list[tuple[datetime, Notification]]:
    """The latest of all sources with their moments, those before a moment if one is given. All of
    the last one's instant are among them, beyond `limit` too: the next begin before it."""
    found = []
    moments: list[datetime] = []
    for source in _sources.values():
        rows = source.dated(user)
        rows = rows.filter(told_at__lt=before) if before else rows
        found.append((source, rows))
        moments += rows.order_by("-told_at").values_list("told_at", flat=True)[:limit]
    if not moments:
        return []
    oldest = sorted(moments, reverse=True)[:limit][-1]
    shown = [
        (row.told_at, source, row)
        for source, rows in found
        for row in rows.filter(told_at__gte=oldest)
    ]
    shown.sort(key=lambda each: each[0], reverse=True)
    return [(at, source.tell(row)) for at, source, row in shown]


def unread(user: User, *, since: datetime) -> int:
    """How many came after `since`; of each source one more than `MOST_COUNTED` is counted."""
    each = (source.since(user, since)[: MOST_COUNTED + 1] for source in _sources.values())
    return sum(rows.count() for rows in each)
