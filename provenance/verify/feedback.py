"""What people say about a verdict: whether it was right, in a few words, and nothing about them."""

from datetime import datetime

from config.core.errors import ProofsheetError
from provenance.models import VerifyFeedback

MOST_CHARACTERS = 1000


class FeedbackUnclear(ProofsheetError):
    """An answer other than right or wrong, or a comment that is too long."""

    default_code = "feedback_unclear"
    default_message = "The answer does not say whether the verdict was right."
    default_advice = f"Choose right or wrong; a comment may have {MOST_CHARACTERS} characters."
    default_status = 422


def give(*, answer: str, is_ours: bool, comment: str, at: datetime) -> VerifyFeedback:
    """Keep an answer of "right" or "wrong". Raises `FeedbackUnclear`."""
    if answer not in ("right", "wrong") or len(comment) > MOST_CHARACTERS:
        raise FeedbackUnclear
    return VerifyFeedback.objects.create(
        is_right=answer == "right",
        said_ours=is_ours,
        comment=comment.replace("\0", "").strip(),
        on=at.date(),
    )
