"""Which visible labels this installation offers: corners, texts, and the usual one."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.core.errors import ProofsheetError
from provenance.marks import visible_label
from provenance.marks.visible_label import LabelUnusable, Position, VisibleLabel

NONE = "none"


class LabelNotOffered(ProofsheetError):
    """A corner that does not exist, or a text that settings do not name."""

    default_code = "label_not_offered"
    default_message = "That visible label is not offered."
    default_advice = f"Choose {NONE}, or one of: {', '.join(Position)}."
    default_status = 422


class LabelTextWithoutLabel(ProofsheetError):
    """A label's text without a corner to draw it in."""

    default_code = "label_text_without_label"
    default_message = "A text for the visible label came, and no label is to be drawn."
    default_advice = f"Name its corner, one of {', '.join(Position)}, or leave the text out."
    default_status = 422


def texts() -> list[str]:
    """What a label may say; the usual text first. Raises `ImproperlyConfigured`."""
    for text in settings.PROOFSHEET_LABEL_TEXTS:
        try:
            visible_label.checked(text, Position.BOTTOM_RIGHT)
        except LabelUnusable as error:
            raise ImproperlyConfigured(f"VISIBLE_LABEL_TEXTS: {text!r}: {error}") from error
    return list(settings.PROOFSHEET_LABEL_TEXTS)


def usual_position() -> str:
    """The corner where nobody says another, or `none`."""
    return settings.PROOFSHEET_LABEL or NONE


def chosen(position: str | None, text: str | None) -> VisibleLabel | None:
    """The label that somebody asks for; None where it is none. What they leave out is as usual.

    Raises:
        LabelNotOffered: a corner that does not exist, or a text that settings do not name.
        LabelTextWithoutLabel: a text, and no corner for it.
    """
    offered = texts()
    position = position or usual_position()
    if text and text not in offered:
        raise LabelNotOffered(
            message="The visible label cannot say that.",
            advice=f"Choose one of: {'; '.join(offered)}.",
        )
    if position == NONE:
        if text:
            raise LabelTextWithoutLabel
        return None
    if position not in set(Position):
        raise LabelNotOffered
    return VisibleLabel(text or offered[0], Position(position))
