"""Who looks at a case now: a short-lived key in the cache for each open page, renewed by the page.

With the cache away nobody is shown; nothing depends on it, for the lease alone decides who works.
"""

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import User
from django.core.cache import cache

SEEN_S = 40  # a page asks every 15 seconds; after this long it is taken for closed


def look(case_id: UUID, *, by: User) -> None:
    """`by` has the case's page open."""
    cache.set(_key(case_id, by.pk), by.get_username(), SEEN_S)


def others(case_id: UUID, *, among: Iterable[int], by: User) -> list[str]:
    """Names of those `among` the reviewers who look at it too."""
    keys = [_key(case_id, user_id) for user_id in among if user_id != by.pk]
    found = cache.get_many(keys) if keys else {}
    return sorted(str(name) for name in found.values())


def _key(case_id: UUID, user_id: int) -> str:
    return f"case-viewer:{case_id}:{user_id}"
