"""Pairs as papers print them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from moderation.audits.statistics.pairs import Pairs


def pairs_of(both: ArrayLike, one: ArrayLike, reference: ArrayLike, neither: ArrayLike) -> Pairs:
    """Pairs of several contrasts from their four counts, float64[contrasts] each."""
    arrays = [np.atleast_1d(np.asarray(each, float)) for each in (both, one, reference, neither)]
    return Pairs(*arrays)
