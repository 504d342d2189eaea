"""A case's evidence as its page shows it: frozen values between the tables and the template."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser

from moderation.cases import subject_history
from moderation.cases.case_pictures import ShownSubject
from moderation.policy.rulebook import policy_document
from moderation.policy.rulebook.highlights import Piece, pieces
from moderation.subjects.evidence import (
    AdapterEvidence,
    Evidence,
    PictureEvidence,
    UsedAdapter,
    UsedModel,
)

TONES = {"allow": "good", "hold": "warn", "refuse": "bad"}


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One category's score beside its thresholds, all as percentages."""

    title: str
    score: float
    hold: float
    refuse: float
    verdict: policy_document.Verdict
    is_named_by_rule: bool

    @property
    def tone(self) -> str:
        return TONES[self.verdict]


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything that a person needs to see before they decide about a subject."""

    kind: str
    subject_id: UUID
    prompt: tuple[Piece, ...]
    negative_prompt: str
    rules: tuple[str, ...]
    scores: tuple[ScoreLine, ...]
    model: str
    model_digest: str
    parameters: tuple[tuple[str, str], ...]
    adapters: tuple[UsedAdapter, ...]
    details: tuple[tuple[str, str], ...]
    policy_version: str
    active_version: str
    has_picture: bool
    shown: ShownSubject
    marks: subject_history.Marks | None
    record: subject_history.Record | None
    events: tuple[subject_history.Event, ...]

    @property
    def is_policy_outdated(self) -> bool:
        return self.policy_version != self.active_version


def compile_dossier(
    shown: ShownSubject, *, owner: AbstractBaseUser | None, policy_version: str
) -> Dossier:
    """The evidence as a page shows it, judged by the policy that the case was opened under."""
    kind, subject_id, evidence = shown.subject_kind, shown.subject_id, shown.evidence
    judged = policy_document.load(policy_version)
    matched = evidence.matched or ()
    model = evidence.model or UsedModel()
    asked = evidence if isinstance(evidence, PictureEvidence) else PictureEvidence()
    return Dossier(
        kind=kind,
        subject_id=subject_id,
        prompt=tuple(pieces(evidence.prompt or "", matched)),
        negative_prompt=asked.negative_prompt or "",
        rules=tuple(dict.fromkeys(rule for _, _, rule in matched)),
        scores=_scores(judged, kind, evidence),
        model=model.name,
        model_digest=model.digest,
        parameters=tuple(
            (label, str(value))
            for label, value in (
                ("Seed", asked.seed),
                ("Steps", asked.steps),
                ("Guidance", asked.guidance),
                ("Width", asked.width),
                ("Height", asked.height),
            )
            if value is not None
        ),
        adapters=evidence.adapters or (),
        details=_details(evidence),
        policy_version=policy_version,
        active_version=policy_document.active(judged.profile).version,
        has_picture=bool(evidence.image and evidence.image.file),
        shown=shown,
        marks=subject_history.marks_of(kind, subject_id),
        record=subject_history.of_owner(owner),
        events=tuple(subject_history.of_subject(kind, subject_id)),
    )


def _scores(
    judged: policy_document.Rulebook, kind: str, evidence: Evidence
) -> tuple[ScoreLine, ...]:
    """The categories that were scored, highest first; none for a subject that nothing scored."""
    if kind == "adapter":
        return ()
    stage: policy_document.Stage = "prompt" if kind == "prompt" else "image"
    by_rule = {rule.id: rule.category for rule in judged.rules}
    named = {by_rule.get(rule) for _, _, rule in evidence.matched or ()}
    lines = [
        ScoreLine(
            title=category.title,
            score=round(score * 100, 1),
            hold=round(category.thresholds[stage].hold * 100, 1),
            refuse=round(category.thresholds[stage].refuse * 100, 1),
            verdict=category.thresholds[stage].verdict(score),
            is_named_by_rule=name in named,
        )
        for name, score in (evidence.categories or {}).items()
        if (category := judged.categories.get(name))
    ]
    return tuple(sorted(lines, key=lambda line: -line.score))


def _details(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """The plain facts of an adapter under review, as its room wrote them."""
    facts = evidence.adapter if isinstance(evidence, AdapterEvidence) else None
    return tuple(
        (name.replace("_", " ").capitalize(), str(value))
        for name, value in (facts or {}).items()
        if value is not None
    )
