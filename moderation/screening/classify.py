"""Screen prompts and pictures: classifiers and rules in, a verdict and a stored ``Screening`` out.

The classifiers load torch and onnxruntime, so they are imported on first use, in workers and
commands; the web process screens nothing.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.core.watching.instruments import SCREENINGS
from moderation.classifiers import ImageClassifier, PromptClassifier, chosen
from moderation.hash_banks import known_pictures
from moderation.models import Screening
from moderation.policy import drafting
from moderation.policy.rulebook import policy_document, prompt_readings, word_rules
from moderation.policy.rulebook.concept_rules import RuleMatch
from moderation.policy.rulebook.overlay import Overlay, laid_over

CODES: dict[policy_document.Verdict, str] = {
    "allow": "allowed",
    "hold": "held",
    "refuse": "refused",
}


@dataclass(frozen=True, slots=True)
class HouseView:
    """What the house's policy alone makes of something that a project's overlay was laid over."""

    verdict: policy_document.Verdict
    categories: dict[str, float]


@dataclass(frozen=True, slots=True)
class PromptVerdict:
    """`matched` holds (start, end, rule) in characters of the text as it was typed. `named` is the
    category that a refusal names, `overlay` the version of the project's, and `house` what the
    house's policy alone says where there is one.
    """

    verdict: policy_document.Verdict
    categories: dict[str, float]
    matched: tuple[tuple[int, int, str], ...]
    policy_version: str
    code: str
    screening_id: UUID
    named: str = ""
    overlay: str = ""
    house: HouseView | None = None


@dataclass(frozen=True, slots=True)
class ImageVerdict:
    """`categories` holds a score in [0, 1] for each category that the classifiers know."""

    verdict: policy_document.Verdict
    categories: dict[str, float]
    policy_version: str
    code: str
    screening_id: UUID
    named: str = ""
    overlay: str = ""
    house: HouseView | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy makes of a text or a picture, before anything is stored.

    `learned` are the classifier's own scores, `categories` those with the rules' on top.
    """

    verdict: policy_document.Verdict
    categories: dict[str, float]
    learned: dict[str, float]
    matched: tuple[tuple[int, int, str], ...]
    policy: policy_document.Rulebook
    classifier: str
    over: Overlay | None = None
    house_categories: dict[str, float] | None = None

    @property
    def applied(self) -> policy_document.Rulebook:
        """The house's policy with the project's overlay on it."""
        return laid_over(self.policy, self.over)

    def of_overlay(self, stage: policy_document.Stage) -> dict[str, Any]:
        """What a verdict says beside its own: which category, which overlay, and the house's."""
        worst, house = self.applied.worst(self.categories, stage=stage), None
        if self.over is not None:
            scores = self.categories if self.house_categories is None else self.house_categories
            house = HouseView(self.policy.judge(scores, stage=stage), scores)
        return {
            "named": worst.name if worst else "",
            "overlay": self.over.version if self.over else "",
            "house": house,
        }


def judge_prompt(
    text: str,
    *,
    profile: str = "general",
    classifier: PromptClassifier | None = None,
    overlay: Overlay | None = None,
    shows: Collection[str] = (),
) -> Judgement:
    """Judge `text` and store nothing; `shows`: concepts that the picture has beside its words
    (`shown_beside`). Loads the classifier. Raises PolicyUnknown."""
    active = policy_document.active(profile)
    if classifier is None:
        from moderation.classifiers import prompt  # loads torch

        classifier = prompt.classifier()
    learned: dict[str, float] = {}
    for asked in _asked(text, active):
        for category, score in classifier.score(asked).items():
            learned[category] = max(score, learned.get(category, 0.0))
    label = f"{classifier.name} {classifier.version}"
    return _judged(text, learned, active, label, overlay, shows=shows)


def shown_beside(
    *, profile: str, shows_person: bool, names: Iterable[str] = (), negative: str = ""
) -> frozenset[str]:
    """As `word_rules.beside`, by the lexicon in force. Raises PolicyUnknown."""
    words = policy_document.active(profile).words
    return word_rules.beside(words, shows_person=shows_person, names=names, negative=negative)


def judge_image(
    data: bytes,
    *,
    profile: str = "general",
    classifier: ImageClassifier | None = None,
    overlay: Overlay | None = None,
) -> Judgement:
    """Judge an encoded picture (PNG, JPEG, WebP) and store nothing. Loads the classifier.

    Raises policy_document.PolicyUnknown, and decoder.PictureUnreadable for bytes that are no
    picture.
    """
    active = policy_document.active(profile)
    if classifier is None:
        from moderation.classifiers import image  # loads onnxruntime

        classifier = image.classifier()
    scores = classifier.score(data)
    label = f"{classifier.name} {classifier.version}"
    verdict = laid_over(active, overlay).judge(scores, stage="image")
    return Judgement(verdict, scores, dict(scores), (), active, label, overlay)


def judge_known_image(
    data: bytes, *, profile: str = "general", overlay: Overlay | None = None
) -> Judgement:
    """As `judge_image`, with what the banks of known bad pictures say; asks the database."""
    return _judged_with_banks(data, profile=profile, classifier=None, overlay=overlay)[0]


def cached_prompt_verdict(
    text: str,
    *,
    at: datetime,
    profile: str = "general",
    overlay: Overlay | None = None,
    shows: Collection[str] = (),
) -> PromptVerdict | None:
    """Verdict by an equal earlier prompt's scores, without loading a classifier; None if there is
    none.
    """
    active = policy_document.active(profile)
    usual = chosen.prompt_label()
    learned = _cached_scores(_cache_key(text, active, usual))
    if learned is None:
        return None
    judged = _judged(text, learned, active, usual, overlay, shows=shows)
    return _stored_prompt(text, judged, at=at, is_from_cache=True)


def screen_prompt(
    text: str,
    *,
    at: datetime,
    profile: str = "general",
    classifier: PromptClassifier | None = None,
    overlay: Overlay | None = None,
    shows: Collection[str] = (),
) -> PromptVerdict:
    """Judge `text` and store the screening. Loads the classifier: for workers and commands only.

    Raises PolicyUnknown. A `classifier` that is given replaces the usual one and the cache.
    """
    if classifier is None and (
        cached := cached_prompt_verdict(text, at=at, profile=profile, overlay=overlay, shows=shows)
    ):
        return cached
    judged = judge_prompt(
        text,
        profile=profile,
        classifier=classifier,
        overlay=overlay,
        shows=shows,
    )
    return _stored_prompt(text, judged, at=at, is_from_cache=False)


def screen_image(
    png: bytes,
    *,
    at: datetime,
    profile: str = "general",
    classifier: ImageClassifier | None = None,
    overlay: Overlay | None = None,
) -> ImageVerdict:
    """Judge an encoded picture, compare it with the banks, and store the screening. For workers and
    commands only.

    Raises what `judge_image` raises.
    """
    judged = _judged_with_banks(png, profile=profile, classifier=classifier, overlay=overlay)
    return _screened_picture(png, "image", judged, at=at)


def screen_upload(
    data: bytes,
    *,
    at: datetime,
    profile: str = "general",
    classifier: ImageClassifier | None = None,
    overlay: Overlay | None = None,
) -> ImageVerdict:
    """Screen a picture that a user uploads (to draw from, or as an adapter's example) like a drawn
    one, before anything uses it; the code begins with ``upload_``.

    Raises what `judge_image` raises.
    """
    judged = _judged_with_banks(data, profile=profile, classifier=classifier, overlay=overlay)
    return _screened_picture(data, "upload", judged, at=at)


def _screened_picture(
    data: bytes,
    what: str,
    found: tuple[Judgement, list[known_pictures.Near]],
    *,
    at: datetime,
) -> ImageVerdict:
    judged, near = found
    key = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        screening = _store(judged, stage="image", cache_key=key, at=at, is_from_cache=False)
        known_pictures.record(near, screening=screening, at=at)
    return ImageVerdict(
        judged.verdict,
        judged.categories,
        judged.policy.version,
        f"{what}_{CODES[judged.verdict]}",
        screening.id,
        **judged.of_overlay("image"),
    )


def _judged_with_banks(
    data: bytes,
    *,
    profile: str,
    classifier: ImageClassifier | None,
    overlay: Overlay | None = None,
) -> tuple[Judgement, list[known_pictures.Near]]:
    judged = judge_image(data, profile=profile, classifier=classifier, overlay=overlay)
    near = known_pictures.near(data)
    return _with_banks(judged, near), near


def _with_banks(judged: Judgement, near: list[known_pictures.Near]) -> Judgement:
    """The judgement with a score of 1 for each category of a bank that acts."""
    acting = {match.banked.bank.category: 1.0 for match in near if match.is_enforced}
    scores = judged.categories | acting
    return replace(judged, categories=scores, verdict=judged.applied.judge(scores, stage="image"))


def _judged(
    text: str,
    learned: Mapping[str, float],
    active: policy_document.Rulebook,
    classifier: str,
    overlay: Overlay | None,
    *,
    shows: Collection[str],
) -> Judgement:
    applied = laid_over(active, overlay)
    found = word_rules.match(applied.rules, text, learned, applied.words, shows=shows)
    scores = _with_hits(learned, found)
    of_house = {rule.id for rule in active.rules}
    return Judgement(
        verdict=applied.judge(scores, stage="prompt"),
        categories=scores,
        learned=dict(learned),
        matched=tuple((hit.start, hit.end, hit.rule) for hit in found),
        policy=active,
        classifier=classifier,
        over=overlay,
        house_categories=_with_hits(learned, [hit for hit in found if hit.rule in of_house]),
    )


def _with_hits(learned: Mapping[str, float], found: Iterable[RuleMatch]) -> dict[str, float]:
    scores = dict(learned)
    for hit in found:
        scores[hit.category] = max(scores.get(hit.category, 0.0), hit.score)
    return scores


def _stored_prompt(
    text: str, judged: Judgement, *, at: datetime, is_from_cache: bool
) -> PromptVerdict:
    key = _cache_key(text, judged.policy, judged.classifier)
    screening = _store(judged, stage="prompt", cache_key=key, at=at, is_from_cache=is_from_cache)
    return PromptVerdict(
        verdict=judged.verdict,
        categories=judged.categories,
        matched=judged.matched,
        policy_version=judged.policy.version,
        code=f"prompt_{CODES[judged.verdict]}",
        screening_id=screening.id,
        **judged.of_overlay("prompt"),
    )


def _store(
    judged: Judgement,
    *,
    stage: policy_document.Stage,
    cache_key: str,
    at: datetime,
    is_from_cache: bool,
) -> Screening:
    SCREENINGS.labels(stage, judged.verdict).inc()
    return Screening.objects.create(
        stage=stage,
        policy=drafting.keep(judged.policy, at=at),
        profile=judged.policy.profile,
        overlay=judged.over.version if judged.over else "",
        classifier=judged.classifier,
        cache_key=cache_key,
        verdict=judged.verdict,
        learned=judged.learned,
        categories=judged.categories,
        matched=judged.matched,
        is_from_cache=is_from_cache,
        screened_at=at,
    )


def _asked(text: str, active: policy_document.Rulebook) -> list[str]:
    """What a classifier is asked about a prompt, without what a harmless compound takes out."""
    heard = active.words.without_harmless(text) if active.words else text
    return prompt_readings.for_classifier(heard)


def _cache_key(text: str, active: policy_document.Rulebook, classifier: str) -> str:
    parts = [_asked(text, active), active.sha256, active.profile, classifier]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _cached_scores(key: str) -> dict[str, float] | None:
    earlier = Screening.objects.filter(cache_key=key).order_by("-screened_at").first()
    return earlier.learned if earlier else None
