"""The prototype sentences as data, and their version; readable without torch."""

import hashlib
import json
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_suffix(".json")
NAME = "minilm-prototypes"
ORDINARY = "ordinary"


@cache
def sentences() -> dict[str, list[str]]:
    """Sentences per category, and the ordinary ones that they are weighed against."""
    groups: dict[str, list[str]] = json.loads(PATH.read_text(encoding="utf-8"))
    return groups


@cache
def version() -> str:
    """Changes whenever a sentence does, so that cached scores of another wording are not reused."""
    return f"1-{hashlib.sha256(PATH.read_bytes()).hexdigest()[:8]}"
