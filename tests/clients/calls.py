"""How many calls the clients made to the house, for the last line of a run."""

from __future__ import annotations

from collections import Counter

MADE: Counter[str] = Counter()
WITHOUT_THE_HOUSE = {"unwrap", "webhook", "version", "nobody"}


def count(client: str, call: str = "") -> None:
    """One call of that client, unless it is one that never leaves it."""
    if call not in WITHOUT_THE_HOUSE and not client.startswith("standardwebhooks"):
        MADE[client] += 1


def told() -> str:
    """One line, the busiest first."""
    each = ", ".join(f"{client} {number}" for client, number in MADE.most_common())
    return f"{MADE.total()} calls of clients to the house: {each}"
