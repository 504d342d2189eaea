"""Screen prompts and pictures: classifiers and rules in, a verdict and a stored ``Screening`` out.

The classifiers load torch and onnxruntime, so they are imported on first use: the web process only
asks ``cached_prompt_verdict``.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from moderation import normalisation, policy, rules
from moderation.classifiers import ImageClassifier, PromptClassifier, prototypes
from moderation.models import Policy, Screening

USUAL = f"{prototypes.NAME} {prototypes.version()}"
CODES: dict[policy.Verdict, str] = {"allow": "allowed", "hold": "held", "refuse": "refused"}


@dataclass(frozen=True, slots=True)
class PromptVerdict:
    """`matched` holds (start, end, rule) in characters of the text as it was typed."""

    verdict: policy.Verdict
    categories: dict[str, float]
    matched: tuple[tuple[int, int, str], ...]
    policy_version: str
    code: str
    screening_id: UUID


@dataclass(frozen=True, slots=True)
class ImageVerdict:
    """`categories` holds a score in [0, 1] for each category that the classifiers know."""

    verdict: policy.Verdict
    categories: dict[str, float]
    policy_version: str
    code: str
    screening_id: UUID


def cached_prompt_verdict(
    text: str, *, at: datetime, profile: str = "general"
) -> PromptVerdict | None:
    """Verdict by an equal earlier prompt's scores, without loading a classifier; None if there is
    none.
    """
    active = policy.active(profile)
    learned = _cached_scores(_cache_key(text, active, USUAL))
    if learned is None:
        return None
    return _prompt_verdict(text, learned, active, classifier=USUAL, at=at, is_from_cache=True)


def screen_prompt(
    text: str,
    *,
    at: datetime,
    profile: str = "general",
    classifier: PromptClassifier | None = None,
) -> PromptVerdict:
    """Judge `text` and store the screening. Loads the classifier: for workers and commands only.

    Raises policy.PolicyUnknown. A `classifier` that is given replaces the usual one and the cache.
    """
    if classifier is None:
        if cached := cached_prompt_verdict(text, at=at, profile=profile):
            return cached
        from moderation.classifiers import prompt  # loads torch

        classifier = prompt.classifier()
    learned = classifier.score(normalisation.decoded(normalisation.canonical(text)).text)
    label = f"{classifier.name} {classifier.version}"
    active = policy.active(profile)
    return _prompt_verdict(text, learned, active, classifier=label, at=at, is_from_cache=False)


def screen_image(
    png: bytes,
    *,
    at: datetime,
    profile: str = "general",
    classifier: ImageClassifier | None = None,
) -> ImageVerdict:
    """Judge an encoded picture (PNG, JPEG, WebP) and store the screening. For workers and commands
    only.

    Raises policy.PolicyUnknown, and classifiers.image.ImageUnreadable for bytes that are no
    picture.
    """
    if classifier is None:
        from moderation.classifiers import image  # loads onnxruntime

        classifier = image.classifier()
    active = policy.active(profile)
    scores = classifier.score(png)
    verdict = active.judge(scores, stage="image")
    screening = Screening.objects.create(
        stage="image",
        policy=_stored(active, at=at),
        profile=profile,
        classifier=f"{classifier.name} {classifier.version}",
        cache_key=hashlib.sha256(png).hexdigest(),
        verdict=verdict,
        learned=scores,
        categories=scores,
        screened_at=at,
    )
    return ImageVerdict(verdict, scores, active.version, f"image_{CODES[verdict]}", screening.id)


def _prompt_verdict(
    text: str,
    learned: Mapping[str, float],
    active: policy.Policy,
    *,
    classifier: str,
    at: datetime,
    is_from_cache: bool,
) -> PromptVerdict:
    found = rules.match(active.rules, normalisation.readings(text), learned)
    scores = dict(learned)
    for hit in found:
        scores[hit.category] = max(scores.get(hit.category, 0.0), hit.score)
    verdict = active.judge(scores, stage="prompt")
    matched = tuple((hit.start, hit.end, hit.rule) for hit in found)
    screening = Screening.objects.create(
        stage="prompt",
        policy=_stored(active, at=at),
        profile=active.profile,
        classifier=classifier,
        cache_key=_cache_key(text, active, classifier),
        verdict=verdict,
        learned=dict(learned),
        categories=scores,
        matched=matched,
        is_from_cache=is_from_cache,
        screened_at=at,
    )
    return PromptVerdict(
        verdict=verdict,
        categories=scores,
        matched=matched,
        policy_version=active.version,
        code=f"prompt_{CODES[verdict]}",
        screening_id=screening.id,
    )


def _cache_key(text: str, active: policy.Policy, classifier: str) -> str:
    parts = [normalisation.canonical(text).text, active.sha256, active.profile, classifier]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _cached_scores(key: str) -> dict[str, float] | None:
    earlier = Screening.objects.filter(cache_key=key).order_by("-screened_at").first()
    return earlier.learned if earlier else None


def _stored(active: policy.Policy, *, at: datetime) -> Policy:
    row, _ = Policy.objects.get_or_create(
        version=active.version,
        defaults={
            "profile": active.profile,
            "sha256": active.sha256,
            "document": dict(active.document),
            "first_used_at": at,
        },
    )
    return row
