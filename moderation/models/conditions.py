"""What every table of the room shares: kinds of subject, and the conditions of a transition."""

from django.db import models

from config.core.transitions import WrongState


def already(noun: str, status: str) -> WrongState:
    """The conflict of a row that is not in a state that allows a transition."""
    return WrongState(
        code=f"{noun}_wrong_state",
        message=f"This {noun} is already {status}.",
        advice="Reload the page to see what happened to it.",
    )


class SubjectKind(models.TextChoices):
    """What can be under review: a request's prompt, a picture, an adapter."""

    PROMPT = "prompt", "Prompt"
    IMAGE = "image", "Image"
    ADAPTER = "adapter", "Adapter"


class Perceived(models.TextChoices):
    """What a person sees in a picture; asked of people, and never of a model."""

    FEMININE = "feminine", "Feminine"
    MASCULINE = "masculine", "Masculine"
    OTHER = "other", "Neither, or several people"
    UNCLEAR = "unclear", "Unclear"
    NOBODY = "nobody", "Nobody is shown"
