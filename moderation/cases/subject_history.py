"""What happened to a subject and to its owner before, for the person who decides now."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Count, Q

from moderation.models import Appeal, Decision, SubjectKind
from moderation.subjects.actions import RESTRICTIONS
from provenance.models import Asset, Leaf


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a case's story. `tone` is good, bad or neutral."""

    at: datetime
    title: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Record:
    """How often the owner's things were restricted or allowed by a decision, and how often that was
    reversed; warnings and suspensions are among the restrictions and counted by themselves too.
    """

    refused: int
    allowed: int
    reversed: int
    warned: int
    suspended: int


@dataclass(frozen=True, slots=True)
class Marks:
    """Provenance of a picture; `log_index` is None until the log has given it a place."""

    watermark_id: str
    manifest_sha256: str
    log_index: int | None


def of_subject(kind: str, subject_id: UUID) -> list[Event]:
    """Decisions, appeals and reversals about one subject, oldest first."""
    decisions = list(
        Decision.objects.filter(subject_kind=kind, subject_id=subject_id).select_related(
            "decided_by", "appeal", "appeal__hearer"
        )
    )
    events = [_decided(decision) for decision in decisions]
    appeals = [decision.appeal for decision in decisions if hasattr(decision, "appeal")]
    events += [Event(a.lodged_at, "Appeal lodged", a.grounds, "neutral") for a in appeals]
    events += [_heard(a) for a in appeals if a.heard_at is not None]
    return sorted(events, key=lambda event: event.at)


def of_owner(owner: AbstractBaseUser | None) -> Record | None:
    """The owner's record; None where the account is gone."""
    if owner is None:
        return None
    counts = Decision.objects.filter(owner_id=owner.pk).aggregate(
        refused=Count("id", filter=Q(action__in=RESTRICTIONS)),
        allowed=Count("id", filter=Q(action=Decision.Action.ALLOW, reverses__isnull=True)),
        reversed=Count("id", filter=Q(action=Decision.Action.ALLOW, reverses__isnull=False)),
        warned=Count("id", filter=Q(action=Decision.Action.WARN)),
        suspended=Count("id", filter=Q(action=Decision.Action.SUSPEND)),
    )
    return Record(**counts)


def marks_of(kind: str, subject_id: UUID) -> Marks | None:
    """Watermark, manifest and log place of a picture; None where it was never sealed."""
    if kind != SubjectKind.IMAGE:
        return None
    asset = Asset.objects.filter(id=subject_id).first()
    if asset is None:
        return None
    leaf = Leaf.objects.filter(entry__subject=asset.id).order_by("index").first()
    return Marks(asset.watermark_id, asset.manifest_sha256, leaf.index if leaf else None)


def _decided(decision: Decision) -> Event:
    who = "the screening" if decision.is_automated else decision.decided_by or "a deleted account"
    verb = decision.measure.done
    if decision.reverses_id:
        verb = f"Reversed: {verb.lower()}"
    tone = "bad" if decision.action in RESTRICTIONS else "good"
    text = f"{decision.reason}. {decision.explanation}" if decision.explanation else decision.reason
    return Event(decision.decided_at, f"{verb} by {who}", text, tone)


def _heard(appeal: Appeal) -> Event:
    assert appeal.heard_at is not None
    if appeal.status == Appeal.Status.WITHDRAWN:
        return Event(appeal.heard_at, "Appeal withdrawn", "", "neutral")
    tone = "good" if appeal.status == Appeal.Status.REVERSED else "bad"
    title = f"Appeal heard by {appeal.hearer or 'a deleted account'}: {appeal.get_status_display()}"
    return Event(appeal.heard_at, title, appeal.reasons, tone)
