"""A verdict is acted on here and nowhere else: whatever was screened enters the audit frame, and
then a person looks at it, or it is refused, or it passes.
"""

from datetime import datetime

from moderation.audits.sampling import frame
from moderation.cases import review_cases
from moderation.decisions import enforcing
from moderation.screening.classify import ImageVerdict, PromptVerdict
from moderation.subjects.evidence import Evidence
from moderation.subjects.subject import Subject


def act(
    verdict: PromptVerdict | ImageVerdict,
    subject: Subject,
    evidence: Evidence,
    *,
    at: datetime,
) -> None:
    """Act on a verdict in the caller's transaction: open a case for what it holds, blind where the
    audit's lot fell on it, and refuse what it refuses.

    `evidence` is what a reviewer would see; its prompt says whom the picture or the text is about.
    """
    entry = frame.enter(verdict, subject=subject, evidence=evidence, at=at)
    match verdict.verdict:
        case "allow":
            pass
        case "hold":
            review_cases.open_case(
                subject=subject,
                evidence=evidence,
                at=at,
                is_blind=entry.is_sampled,
                named=verdict.named,
            )
        case "refuse":
            enforcing.refuse_automatically(
                subject=subject, verdict=verdict, evidence=evidence, at=at
            )
