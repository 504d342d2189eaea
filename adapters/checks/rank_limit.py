"""The rank that a model was loaded for. Pure: the engine raises it too, at its slots."""

from __future__ import annotations

from adapters.formats.file_verdicts import Refused


class RankTooHigh(Refused, code="rank_too_high"):
    """Above the ceiling that the model was loaded for."""
