"""A frame of screenings with labels, as sampling and reviewers leave it, in bulk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User

from moderation.audits.models import FrameEntry, Label
from moderation.audits.statistics.sampling_design import Design, draw
from moderation.audits.suites.person_terms import Groups
from moderation.models import Policy, Screening
from moderation.screening import classify
from tests.fakes import FakeImageClassifier
from tests.moderation.makers import picture

NOON = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
DESIGN = Design(passed_per_mille=50, flagged_per_mille=1000, double_per_cent=10)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = "fake-image 1"


def stored_policy() -> Policy:
    """The row of the policy in force, as a first screening leaves it."""
    verdict = classify.screen_image(picture(), at=BEFORE, classifier=FakeImageClassifier())
    return Screening.objects.get(id=verdict.screening_id).policy


def traffic(
    reviewers: list[User],
    *,
    fpr: dict[str, float],
    each: int = 1500,
    violating: float = 0.05,
    seed: int = 7,
    at: datetime = NOON,
    answered: float = 1.0,
) -> None:
    """`each` image screenings a gender: what is acceptable is flagged at the group's own rate,
    nine in ten of what violates. Labels are right; doubles are given to the second reviewer. Of
    what passed, the share `answered` has its label.
    """
    rng = np.random.default_rng(seed)
    rule = stored_policy()
    screenings: list[Screening] = []
    entries: list[FrameEntry] = []
    labels: list[Label] = []
    for gender, rate in fpr.items():
        for _ in range(each):
            is_violating = bool(rng.random() < violating)
            is_flagged = bool(rng.random() < (0.9 if is_violating else rate))
            score = float(rng.uniform(0.5, 0.8) if is_flagged else rng.uniform(0, 0.5))
            judged = Screening(
                id=UUID(bytes=rng.bytes(16), version=4),
                stage="image",
                policy=rule,
                profile="general",
                classifier=MODEL,
                cache_key="",
                verdict="hold" if is_flagged else "allow",
                learned={},
                categories={"sexual": score},
                screened_at=at + timedelta(seconds=len(entries)),
            )
            drawn = draw(
                DESIGN,
                screening=judged.id,
                score=score,
                threshold=0.5,
                is_flagged=is_flagged,
                who=Groups(gender),
            )
            entry = FrameEntry(
                screening=judged,
                stage="image",
                subject_id=judged.id,
                gender=gender,
                prompt_cluster=len(entries) // 2,
                owner_cluster=len(entries) // 5,
                category="sexual",
                score=score,
                threshold=0.5,
                scores={"sexual": score},
                is_flagged=is_flagged,
                sampling_stratum=drawn.stratum,
                inclusion_probability=drawn.probability,
                is_sampled=drawn.is_drawn,
                policy_version=rule.version,
                model_version=MODEL,
                screened_at=judged.screened_at,
            )
            screenings.append(judged)
            entries.append(entry)
            count = min(drawn.labels_wanted, len(reviewers)) if drawn.is_drawn else 0
            count *= bool(is_flagged or answered == 1 or rng.random() < answered)
            labels += [_label(entry, who, is_violating) for who in reviewers[:count]]
    Screening.objects.bulk_create(screenings)
    FrameEntry.objects.bulk_create(entries)
    Label.objects.bulk_create(labels)


def _label(entry: FrameEntry, reviewer: User, is_violating: bool) -> Label:
    return Label(
        entry=entry,
        reviewer=reviewer,
        truth="violates" if is_violating else "acceptable",
        is_blind=True,
        policy_version=entry.policy_version,
        model_version=entry.model_version,
        threshold=entry.threshold,
        score=entry.score,
        sampling_stratum=entry.sampling_stratum,
        inclusion_probability=entry.inclusion_probability,
        labelled_at=entry.screened_at + timedelta(hours=1),
    )
