"""What a client means by a mask: white, transparency, or an alpha taken for white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from config.core.errors import ProofsheetError
from generation.request_rules.parameters import SentMask
from provenance.pictures.mask_levels import MaskLevels

Levels = NDArray[np.uint8]
OPAQUE, HALF = 255, 128


class MaskWithoutAlpha(ProofsheetError):
    """OpenAI's masks say it by alpha 0."""

    default_code = "mask_without_alpha"
    default_status = 422
    default_message = "The mask has no transparency, and that says what is painted anew."
    default_advice = "Make transparent what is to change, and save a PNG with an alpha channel."


class MaskHasAlpha(ProofsheetError):
    """Clients disagree about what it says."""

    default_code = "mask_has_alpha"
    default_status = 422
    default_message = "The mask is partly transparent, which could mean either."
    default_advice = "Send it without an alpha channel: white is painted anew, black stays."


def levels_of(found: MaskLevels, sent: SentMask) -> Levels:
    """White for what is painted anew. Raises MaskWithoutAlpha, MaskHasAlpha."""
    anew = _anew(found, sent)
    return np.asarray(OPAQUE - anew, np.uint8) if sent.is_inverted else anew


def _anew(found: MaskLevels, sent: SentMask) -> Levels:
    alpha = found.alpha
    is_opaque = alpha is None or bool((alpha == OPAQUE).all())
    match sent.anew:
        case "transparent":
            if alpha is None:
                raise MaskWithoutAlpha
            return np.asarray(OPAQUE - alpha, np.uint8)
        case "webui" if alpha is not None and not is_opaque:
            return np.where(alpha > HALF, OPAQUE, 0).astype(np.uint8)
        case "white" if not is_opaque:
            raise MaskHasAlpha
    return found.grey
