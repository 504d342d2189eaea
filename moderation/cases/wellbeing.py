"""What looking at pictures costs a reviewer: points a shift, breaks between, strength of the blur.

A reveal costs as many points as its case is severe. After a stretch of points a break is due: it is
asked for first, and once the stretch is spent nothing more is given out until it is taken. Once
the shift's budget is spent, no picture is revealed until earlier ones are eight hours past.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count, Sum

from config.core.errors import ProofsheetError
from moderation.models import BlurChoice, Break, Reveal
from moderation.policy.rulebook import policy_document

SHIFT = timedelta(hours=8)
ASKED_AT = 0.75  # of a stretch
STRONG_FROM = 4  # severity
NUMBERS = """
WITH latest AS (
    SELECT began_at, ends_at FROM moderation_break WHERE reviewer_id = %(reviewer)s
    ORDER BY began_at DESC LIMIT 1
)
SELECT coalesce(sum(severity), 0),
    coalesce(sum(severity) FILTER (
        WHERE revealed_at > coalesce((SELECT began_at FROM latest), %(since)s)
    ), 0),
    count(*),
    (SELECT ends_at FROM latest)
FROM moderation_reveal WHERE revealed_by_id = %(reviewer)s AND revealed_at > %(since)s
"""
LEVELS = {"light": 5, "usual": 9, "strong": 20}  # blur in pixels of a derivative of 256 pixels


class OnBreak(ProofsheetError):
    """The reviewer rests; the desk gives them nothing."""

    default_code = "on_break"
    default_message = "You are on a break, so the desk gives you nothing to look at."
    default_advice = "Come back when it is over; your page of wellbeing shows the time."
    default_status = 409


class BreakDue(ProofsheetError):
    """The points of a stretch are spent."""

    default_code = "break_due"
    default_message = "You have looked at a lot, so a break is due before anything else."
    default_advice = "Start it on your page of wellbeing; what you hold you can still decide."
    default_status = 409


class BudgetSpent(ProofsheetError):
    """The points of a shift are spent."""

    default_code = "exposure_budget_spent"
    default_message = "You have looked at as much as a shift allows."
    default_advice = "Decide from the blurred picture, escalate, or leave it to a colleague."
    default_status = 409


class LevelUnknown(ProofsheetError):
    """There is no such strength of blur, or no such category."""

    default_code = "blur_unknown"
    default_message = "There is no such strength of blur or no such category."
    default_advice = "Choose one of those on the page."
    default_status = 422


@dataclass(frozen=True, slots=True)
class Exposure:
    """One reviewer's numbers: points within a shift, and since the last break began."""

    points: int
    budget: int
    since_break: int
    stretch: int
    reveals: int
    resting_until: datetime | None

    @property
    def is_break_asked_for(self) -> bool:
        return self.since_break >= self.stretch * ASKED_AT

    @property
    def is_break_due(self) -> bool:
        return self.since_break >= self.stretch

    @property
    def is_spent(self) -> bool:
        return self.points >= self.budget

    @property
    def left(self) -> int:
        """Points until the next thing that stops a reveal."""
        return max(0, min(self.budget - self.points, self.stretch - self.since_break))


@dataclass(frozen=True, slots=True)
class PicturesSeen:
    """Reveals of one category within a shift."""

    title: str
    reveals: int
    points: int


def exposure(*, by: User, at: datetime) -> Exposure:
    """The reviewer's numbers. One statement, because every claim asks for them."""
    since = at - SHIFT
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, {"reviewer": by.pk, "since": since})
        points, since_break, reveals, ends_at = cursor.fetchone()
    return Exposure(
        points=points,
        budget=settings.PROOFSHEET_EXPOSURE_BUDGET,
        since_break=since_break,
        stretch=settings.PROOFSHEET_EXPOSURE_STRETCH,
        reveals=reveals,
        resting_until=ends_at if ends_at and ends_at > at else None,
    )


def check_present(*, by: User, at: datetime) -> None:
    """Raise OnBreak or BreakDue where nothing new may be given to the reviewer."""
    now = exposure(by=by, at=at)
    if now.resting_until:
        raise OnBreak
    if now.is_break_due:
        raise BreakDue


def check_rested(*, by: User, at: datetime) -> None:
    """Raise OnBreak while the reviewer rests."""
    if exposure(by=by, at=at).resting_until:
        raise OnBreak


def check_reveal(*, by: User, at: datetime) -> None:
    """Raise OnBreak, BreakDue or BudgetSpent where no picture may be revealed.

    In the caller's transaction; holds the reviewer's row, so that two windows spend one budget.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    check_present(by=by, at=at)
    if exposure(by=by, at=at).is_spent:
        raise BudgetSpent


@transaction.atomic
def rest(*, by: User, at: datetime) -> Break:
    """Begin a break. Raises OnBreak when one runs."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if exposure(by=by, at=at).resting_until:
        raise OnBreak
    length = timedelta(minutes=settings.PROOFSHEET_BREAK_MINUTES)
    return Break.objects.create(reviewer=by, began_at=at, ends_at=at + length)


def seen(*, by: User, at: datetime) -> list[PicturesSeen]:
    """What the reviewer revealed within a shift by category, most points first."""
    categories = policy_document.active("general").categories
    rows = (
        Reveal.objects.filter(revealed_by=by, revealed_at__gt=at - SHIFT)
        .values("category")
        .annotate(reveals=Count("id"), points=Sum("severity"))
        .order_by("-points", "category")
    )
    return [
        PicturesSeen(
            title=categories[row["category"]].title if row["category"] in categories else "Others",
            reveals=row["reveals"],
            points=row["points"],
        )
        for row in rows
    ]


def usual_level(severity: int) -> str:
    """The strength of blur that a category of this severity has until somebody chooses another."""
    return BlurChoice.Level.STRONG if severity >= STRONG_FROM else BlurChoice.Level.USUAL


def levels(*, by: User) -> list[tuple[policy_document.Category, str]]:
    """Every category of the policy with the reviewer's strength of blur for it."""
    chosen = dict(BlurChoice.objects.filter(reviewer=by).values_list("category", "level"))
    categories = policy_document.active("general").categories.values()
    return [(found, chosen.get(found.name, usual_level(found.severity))) for found in categories]


def blur_of(category: str, severity: int, *, by: User) -> int:
    """Blur in pixels for a picture of this category as this reviewer gets it."""
    chosen = BlurChoice.objects.filter(reviewer=by, category=category).first()
    return LEVELS[chosen.level if chosen else usual_level(severity)]


@transaction.atomic
def choose_levels(chosen: Mapping[str, str], *, by: User) -> None:
    """Set the strength of blur of some categories. Raises LevelUnknown."""
    known = policy_document.active("general").categories
    for category, level in chosen.items():
        if category not in known or level not in LEVELS:
            raise LevelUnknown
        BlurChoice.objects.update_or_create(
            reviewer=by, category=category, defaults={"level": level}
        )
