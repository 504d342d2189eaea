"""At screening time: enter a screening into the frame and, where its lot falls, into the queue."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from moderation.audits.models import FrameEntry, SampledItem
from moderation.audits.statistics.sampling_design import Design, draw
from moderation.audits.suites.person_terms import Groups, groups_of
from moderation.cases import review_cases
from moderation.models import Screening
from moderation.policy.rulebook import policy_document, prompt_readings
from moderation.screening.classify import ImageVerdict, PromptVerdict
from moderation.subjects.evidence import Evidence
from moderation.subjects.subject import Subject


def current_design() -> Design:
    """The sampling rates that the settings name."""
    return Design(
        passed_per_mille=settings.PROOFSHEET_AUDIT_PASSED_PER_MILLE,
        flagged_per_mille=settings.PROOFSHEET_AUDIT_FLAGGED_PER_MILLE,
        double_per_cent=settings.PROOFSHEET_AUDIT_DOUBLE_PER_CENT,
    )


def enter(
    verdict: PromptVerdict | ImageVerdict,
    *,
    subject: Subject,
    evidence: Evidence,
    at: datetime,
) -> FrameEntry:
    """Enter one screening, in the caller's transaction. Entering it again changes nothing.

    What is drawn is labelled at the review desk. Whoever opens a case for what was held opens it
    blind if the entry is sampled; for what passed or was refused a case that looks the same is
    opened here, with `evidence` as a held subject's.
    """
    stage: policy_document.Stage = "prompt" if isinstance(verdict, PromptVerdict) else "image"
    category, score, threshold = nearest(_scores(verdict), verdict.policy_version, stage=stage)
    prompt = evidence.prompt or ""
    who = groups_of(prompt)
    drawn = draw(
        current_design(),
        screening=verdict.screening_id,
        score=score,
        threshold=threshold,
        is_flagged=_is_flagged(verdict),
        who=who,
    )
    entry, is_new = FrameEntry.objects.get_or_create(
        screening_id=verdict.screening_id,
        defaults={
            **_screened(verdict, subject=subject, prompt=prompt, who=who, stage=stage, at=at),
            "category": category,
            "score": score,
            "threshold": threshold,
            "sampling_stratum": drawn.stratum,
            "inclusion_probability": drawn.probability,
            "is_sampled": drawn.is_drawn,
        },
    )
    if is_new and drawn.is_drawn:
        SampledItem.objects.create(entry=entry, labels_wanted=drawn.labels_wanted, drawn_at=at)
        if verdict.verdict != "hold":
            review_cases.open_sampled(subject=subject, evidence=evidence, nearest=category, at=at)
    return entry


def _screened(
    verdict: PromptVerdict | ImageVerdict,
    *,
    subject: Subject,
    prompt: str,
    who: Groups,
    stage: policy_document.Stage,
    at: datetime,
) -> dict[str, Any]:
    """What the frame keeps of a screening whether it is drawn or not."""
    rows = Screening.objects.values_list("classifier", flat=True)
    return {
        "stage": stage,
        "subject_id": subject.id,
        "project_id": subject.project_id,
        "gender": who.gender,
        "age": who.age,
        "skin": who.skin,
        "prompt_cluster": _cluster(prompt_readings.canonical(prompt).text),
        "owner_cluster": _cluster(f"owner:{subject.owner_id}"),
        "scores": _scores(verdict),
        "is_flagged": _is_flagged(verdict),
        "policy_version": verdict.policy_version,
        "model_version": rows.get(id=verdict.screening_id),
        "screened_at": at,
    }


def _is_flagged(verdict: PromptVerdict | ImageVerdict) -> bool:
    """By the house's policy, which audits measure: a project's overlay is its own affair."""
    return (verdict.house.verdict if verdict.house else verdict.verdict) != "allow"


def _scores(verdict: PromptVerdict | ImageVerdict) -> dict[str, float]:
    return verdict.house.categories if verdict.house else verdict.categories


def nearest(
    scores: Mapping[str, float], policy_version: str, *, stage: policy_document.Stage
) -> tuple[str, float, float]:
    """The category whose score comes nearest to its threshold for holding: name, both numbers."""
    categories = policy_document.load(policy_version).categories
    parts = [
        (score / categories[name].thresholds[stage].hold, name, score)
        for name, score in scores.items()
    ]
    if not parts:
        return "", 0.0, 1.0
    _, name, score = max(parts)
    return name, score, categories[name].thresholds[stage].hold


def _cluster(text: str) -> int:
    """A keyed 63-bit pseudonym: says which items belong together and nothing else."""
    key = settings.SECRET_KEY.encode()[:64]
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, key=key).digest()) >> 1
