"""What comes of a check: the row and the files of an upload that was accepted, refused, or that
could not be checked. One that was withdrawn meanwhile stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from adapters.checks.inspection import Inspection
from adapters.checks.rewrite import Canonical
from adapters.formats.file_verdicts import VERDICTS
from adapters.models import Adapter, BaseModel
from adapters.models.adapter import REFUSED, STOPPED
from adapters.uploads import check_progress, quarantine
from config.core.notifications.feed import NewsSource, Notification


def _checked(user: User) -> QuerySet[Adapter]:
    """Their own uploads that they did not withdraw; what a person decided about one is told by its
    statement."""
    kept = Adapter.objects.filter(owner=user).exclude(state=Adapter.State.WITHDRAWN)
    return kept.exclude(code__in=[REFUSED, STOPPED])


def _told(row: Adapter) -> Notification:
    url = row.get_absolute_url()
    if row.state == Adapter.State.REJECTED:
        title = f"An adapter does not fit: {row.report['message']}"
        return Notification(title, url, "bad", row.name)
    return Notification("An adapter is ready", url, "good", row.name)


NEWS = NewsSource(_checked, "validated_at", _told)


def accept(
    adapter: Adapter,
    made: Canonical,
    model: BaseModel,
    report: dict[str, Any],
    *,
    original: str,
    at: datetime,
) -> None:
    """Move the canonical file, and an upload's own, to where they are served from."""
    file = quarantine.keep(made.path, f"adapters/{made.sha256}.safetensors")
    if original:
        original = quarantine.move(original, f"adapters/{adapter.sha256}.original.safetensors")
    with transaction.atomic():
        row = _locked(adapter.id)
        if row is None:
            return  # withdrawn meanwhile
        row.original = original
        if not original:
            row.sha256, row.size_bytes = made.sha256, made.size_bytes
        row.accept(
            base_model=model,
            rank=made.rank,
            file=file,
            content_sha256=made.content_sha256,
            report=report,
            at=at,
        )
    check_progress.end(adapter.id)


def reject(adapter: Adapter, found: Inspection, model: BaseModel | None, *, at: datetime) -> None:
    """Keeps the file only where it can still be fitted."""
    report = found.report
    original = str(adapter.original.name)
    if report.code == "rank_too_high":
        original = quarantine.move(original, f"adapters/{adapter.sha256}.original.safetensors")
    else:
        quarantine.discard(original)
        original = ""
    with transaction.atomic():
        row = _locked(adapter.id)
        if row is None:
            return
        row.original = original
        if report.code == "rank_too_high":
            row.base_model, row.rank = model, report.rank
        row.reject(code=report.code or "", report=report.as_stored(), at=at)
    check_progress.end(adapter.id)


def give_up(adapter_id: UUID, *, now: Callable[[], datetime]) -> None:
    """The check itself failed: say so rather than leave it waiting for ever."""
    verdict = VERDICTS["check_failed"]
    report = {"accepted": False, "code": verdict.code, "message": verdict.wrong}
    with transaction.atomic():
        row = _locked(adapter_id)
        if row is not None:
            advice = {"advice": verdict.advice}
            row.reject(code=verdict.code, report=report | advice, at=now())
    check_progress.end(adapter_id)


def _locked(adapter_id: UUID) -> Adapter | None:
    """The row if it is still being validated."""
    return (
        Adapter.objects.select_for_update()
        .filter(id=adapter_id, state=Adapter.State.VALIDATING)
        .first()
    )
