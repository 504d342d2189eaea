"""What a person is told of decisions, appeals, reports and exports, on their page and by mail."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.urls import reverse

from config.core.notifications import feed
from config.core.notifications.feed import Notification
from config.core.ownership import within
from moderation.models import Appeal, Decision, Export, Report, Statement
from moderation.statements import issuing
from moderation.subjects import own_pages
from moderation.subjects.actions import RESTRICTIONS
from moderation.subjects.own_pages import OwnPage


def told_decisions() -> QuerySet[Decision]:
    """Those of which an owner is told: a restriction, a reversal, and that what was held is
    allowed. A reported picture that stays was never held, and whom a project serves is told by the
    project, which hears by webhook."""
    was_public = Q(evidence__has_any_keys=["is_reported", "is_found"])
    is_let_go = Q(action=Decision.Action.ALLOW, case__isnull=False) & ~was_public
    is_news = Q(action__in=RESTRICTIONS) | Q(reverses__isnull=False) | is_let_go
    rows = Decision.objects.filter(is_news, owner__isnull=False, end_user__isnull=True)
    return rows.select_related("owner", "statement")


def connect() -> None:
    """Once, when every application is loaded."""
    feed.register("decisions", feed.NewsSource(_decisions, "decided_at", _decision))
    feed.register("appeals", feed.NewsSource(_appeals, "heard_at", _appeal))
    feed.register("reports", feed.NewsSource(_reports, "case__decision__decided_at", _report))
    feed.register("exports", feed.NewsSource(_exports, "ready_at", _export))


def _decisions(user: User) -> QuerySet[Decision]:
    return told_decisions().filter(owner=user)


def _decision(row: Decision) -> Notification:
    """Neither words nor a link of what was deleted, nor an address that they would not find."""
    assert row.owner is not None, "those without one are told nobody"
    is_allowed = row.action not in RESTRICTIONS
    own = own_pages.find(row.subject_kind, row.subject_id, by=row.owner)
    return Notification(
        issuing.heading(row),
        _allowed_at(row, own) if is_allowed else _statement_at(row, row.owner),
        "good" if is_allowed else "bad",
        (row.seen.prompt or "") if own else "",
        row.subject_id if is_allowed and own and own.has_thumbnail else None,
    )


def _allowed_at(row: Decision, own: OwnPage | None) -> str:
    if row.subject_kind == "adapter":
        return reverse("adapters:list")
    return own.url if own else ""


def _statement_at(row: Decision, owner: User) -> str:
    found = Statement.objects.visible_to(owner).filter(decision=row).first()
    return found.get_absolute_url() if found else ""


def _appeals(user: User) -> QuerySet[Appeal]:
    ended = [Appeal.Status.UPHELD, Appeal.Status.REVERSED]
    rows = Appeal.objects.filter(appellant=user, end_user__isnull=True, status__in=ended)
    return rows.select_related("decision")


def _appeal(row: Appeal) -> Notification:
    is_reversed = row.status == Appeal.Status.REVERSED
    title = f"Your appeal was decided: {row.get_status_display().lower()}"
    return Notification(
        title, row.get_absolute_url(), "good" if is_reversed else "bad", row.grounds
    )


def _reports(user: User) -> QuerySet[Report]:
    return Report.objects.filter(notifier=user)


def _report(row: Report) -> Notification:
    return Notification("Your report was decided", row.get_absolute_url(), words=row.explanation)


def _exports(user: User) -> QuerySet[Export]:
    """Of projects that they did not leave."""
    return Export.objects.filter(within("project", user), made_by=user).exclude(file="")


def _export(row: Export) -> Notification:
    return Notification(
        "An export is ready",
        reverse("moderation:project-exports", args=[row.project_id]),
        words=row.name,
    )
