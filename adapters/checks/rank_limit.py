"""The rank that a model was loaded for. Pure; at its slots the engine refuses by the same code."""

from __future__ import annotations

from adapters.formats.file_verdicts import FileRefused


class RankAboveCeiling(FileRefused, code="rank_too_high"):
    """Above the ceiling that the model was loaded for."""
