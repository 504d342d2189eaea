"""What a log's root should be."""

from __future__ import annotations

from collections.abc import Sequence

from provenance.log.formats.merkle import Frontier


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over a whole sequence of leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        for _ in frontier.append(leaf):
            pass
    return frontier.root()
