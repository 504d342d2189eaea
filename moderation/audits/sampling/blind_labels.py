"""Blind labels: what a reviewer answers about a drawn screening at the desk, kept as a row.

The desk sends `case_labelled` when a blind case is answered. The label changes nothing for anybody,
but where a picture that passed turns out to break the policy, a proper case is opened for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from moderation.audits.models import Label, Presentation, SampledItem
from moderation.cases import review_cases
from moderation.models import ReviewCase
from moderation.signals import case_labelled
from moderation.subjects.subject import Kind, Subject


def connect() -> None:
    """Listen for labels from the moderators' queue, once, when the applications are loaded."""
    case_labelled.connect(keep, dispatch_uid="audits.keep_label")


@transaction.atomic
def keep(
    *,
    case: ReviewCase,
    by: User | None,
    truth: str,
    at: datetime,
    reason: str = "",
    perceived: str = "",
    **_: Any,
) -> None:
    """Keep the answer to a blind case as a label, and do what follows from it.

    A case that was opened for the label alone forgets what it showed.
    """
    items = SampledItem.objects.select_for_update(of=("self",)).select_related("entry")
    item = items.get(pk=UUID(case.seen.screening or ""))
    is_first = item.labels_given == 0
    item.count_label()
    _write(item, by=by, truth=truth, at=at)
    if perceived and is_first:
        _write_presentation(item, perceived=perceived, truth=truth, at=at)
    if is_first and truth == Label.Truth.VIOLATES and _was_released(item):
        _open_proper(case, reason=reason, at=at)
    if item.labels_given < item.labels_wanted:
        review_cases.open_sampled(
            subject=_subject(case),
            evidence=case.seen,
            nearest=item.entry.category,
            at=at,
            not_for=by,
        )
    if case.is_sampled:
        case.forget()


def _was_released(item: SampledItem) -> bool:
    """A prompt that passed was rendered, and its picture was screened for itself."""
    return item.entry.stage == "image" and not item.entry.is_flagged


def _open_proper(case: ReviewCase, *, reason: str, at: datetime) -> None:
    """A person found it, so no score of the screening is named as the ground."""
    found = replace(case.seen, categories=None, code=None, is_found=True)
    review_cases.open_case(subject=_subject(case), evidence=found, named=reason, at=at)


def _subject(case: ReviewCase) -> Subject:
    kind: Kind = "image" if case.subject_kind == "image" else "prompt"
    return Subject(kind, case.subject_id, case.owner_id, case.project_id, case.end_user_id)


def _write(item: SampledItem, *, by: User | None, truth: str, at: datetime) -> None:
    entry = item.entry
    Label.objects.create(
        entry=entry,
        reviewer=by,
        truth=truth,
        is_blind=True,
        policy_version=entry.policy_version,
        model_version=entry.model_version,
        threshold=entry.threshold,
        score=entry.score,
        sampling_stratum=entry.sampling_stratum,
        inclusion_probability=entry.inclusion_probability,
        labelled_at=at,
    )


def _write_presentation(item: SampledItem, *, perceived: str, truth: str, at: datetime) -> None:
    """Apart from the label: no key leads from one to the other."""
    entry = item.entry
    Presentation.objects.create(
        perceived=perceived,
        truth=truth,
        is_flagged=entry.is_flagged,
        inclusion_probability=entry.inclusion_probability,
        seen_on=at.date(),
    )
