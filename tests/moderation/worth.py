"""How good the prompt screening is on the labelled sets, with Wilson intervals.

The rules, heads and thresholds were tuned on the tuning half alone; `measure` is meant for the test
half. Run ``python -m tests.moderation.worth`` for the table.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from moderation.audits.statistics.rates import wilson
from moderation.classifiers.fit import read_groups
from moderation.screening import classify
from tests.moderation import evasions

FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with its 95 % Wilson interval; `missed` are the others' texts."""

    name: str
    hits: int
    of: int
    texts: tuple[str, ...]

    @property
    def value(self) -> float:
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        _, low, high = wilson([self.hits], [self.of])[0]
        return low, high

    def __str__(self) -> str:
        low, high = self.interval
        shown = f"{self.hits}/{self.of} = {self.value:.1%} [{low:.1%}, {high:.1%}]"
        return f"{self.name:<34} {shown}"


def prompts(half: str, name: str, *groups: str) -> list[str]:
    """The prompts of one half ("tuning" or "test"), of some groups or of all."""
    rows = read_groups(FOLDER / half / f"{name}.txt")
    return [text for group, text in rows if not groups or group in groups]


def refused(name: str, texts: Iterable[str], *, profile: str = "general") -> Share:
    """The share that is refused; `texts` of the result are those that decided otherwise."""
    verdicts = {text: classify.judge_prompt(text, profile=profile).verdict for text in texts}
    others = tuple(text for text, verdict in verdicts.items() if verdict != "refuse")
    return Share(name, len(verdicts) - len(others), len(verdicts), others)


def evaded(texts: Iterable[str], ways: Mapping[str, Callable[[str], str]]) -> list[str]:
    """Each text written in one of the ways, in turn."""
    return [way(text) for text, way in zip(texts, cycle(ways.values()), strict=False)]


def measure(half: str = "test") -> list[Share]:
    ordinary = prompts(half, "ordinary")
    violating = prompts(half, "refused")
    shares = [
        refused("ordinary_refused", ordinary),
        refused("medical_refused_in_its_profile", prompts(half, "ordinary", "medical"),
                profile="education-medical"),
        refused("recall", violating),
        refused("evasions_recall", evaded(violating, evasions.ALL)),
    ]  # fmt: skip
    return shares


if __name__ == "__main__":
    for share in measure():
        print(share)
