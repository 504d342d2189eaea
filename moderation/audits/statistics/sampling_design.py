"""The sampling design: with which probability a screening is drawn for a blind label.

Strata are score band by group. What lies near the threshold is drawn more often, for there a
wrong verdict is likeliest; nothing is drawn with probability nought, so every rate can be
estimated. The draw is Poisson: each screening for itself, with its own probability.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from moderation.audits.suites.person_terms import Groups

Band = Literal["far", "middle", "near", "flagged"]
BANDS: tuple[Band, ...] = ("far", "middle", "near", "flagged")
BAND_FACTORS: Mapping[Band, float] = {"far": 1, "middle": 4, "near": 15}
PERSON_FACTOR = 3
"""Pictures of stated persons are what a bias audit is about."""


@dataclass(frozen=True, slots=True)
class Design:
    """Shares per thousand: of what passed far from the threshold, and of what was flagged."""

    passed_per_mille: int
    flagged_per_mille: int
    double_per_cent: int

    def sentence(self) -> str:
        near, middle = BAND_FACTORS["near"], BAND_FACTORS["middle"]
        return (
            f"Poisson sampling at screening time with recorded probabilities. Passed items: "
            f"{self.passed_per_mille} per mille, times {middle:g} from a quarter and times "
            f"{near:g} from six tenths of the threshold, times {PERSON_FACTOR} where the prompt "
            f"names a person. Flagged items: {self.flagged_per_mille} per mille. "
            f"{self.double_per_cent} per cent get two independent labels. Reviewers see neither "
            "verdict, score nor origin. Estimates weight each label by 1 / probability, times "
            "drawn / labelled of its stratum."
        )


SHIPPED = Design(passed_per_mille=10, flagged_per_mille=500, double_per_cent=10)
"""What the settings say unless an operator says otherwise."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What the lot said of one screening, and with which probability it could have drawn it."""

    stratum: str
    probability: float
    is_drawn: bool
    labels_wanted: int


def band(*, score: float, threshold: float, is_flagged: bool) -> Band:
    """How near a score lies to its threshold: the coarse half of a stratum."""
    if is_flagged:
        return "flagged"
    part = score / threshold if threshold > 0 else 0.0
    return "near" if part >= 0.6 else "middle" if part >= 0.25 else "far"


def draw(
    design: Design,
    *,
    screening: UUID,
    score: float,
    threshold: float,
    is_flagged: bool,
    who: Groups,
) -> Draw:
    """Stratum, probability and outcome for one screening; the same id always has the same."""
    found = band(score=score, threshold=threshold, is_flagged=is_flagged)
    chance = probability(design, found, is_person=bool(who.gender))
    is_drawn = uniform(b"audit-sample", screening) < chance
    is_double = uniform(b"audit-double", screening) < design.double_per_cent / 100
    return Draw(f"{found}/{who.gender or 'none'}", chance, is_drawn, 2 if is_double else 1)


def probability(design: Design, found: Band, *, is_person: bool) -> float:
    """With which probability a screening of a band is drawn."""
    if found == "flagged":
        return design.flagged_per_mille / 1000
    factor = BAND_FACTORS[found] * (PERSON_FACTOR if is_person else 1)
    return min(1.0, design.passed_per_mille / 1000 * factor)


def uniform(purpose: bytes, screening: UUID) -> float:
    """A number in [0, 1) that follows from a random id alone."""
    digest = hashlib.sha256(purpose + screening.bytes).digest()
    return int.from_bytes(digest[:8]) / 2**64
