"""What every table of the room shares: kinds of subject, and the conditions of a transition."""

from django.db import models

from config.core.errors import ProofsheetError


class WrongState(ProofsheetError):
    """The row is not in a state that allows this transition."""

    def __init__(self, noun: str, status: str) -> None:
        super().__init__(
            code=f"{noun}_wrong_state",
            message=f"This {noun} is already {status}.",
            advice="Reload the page to see what happened to it.",
            status=409,
        )


class NeverChanged(RuntimeError):
    """Somebody tried to change or delete a decision; write a new one that names the old."""


class SubjectKind(models.TextChoices):
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
