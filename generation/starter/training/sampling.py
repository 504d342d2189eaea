"""Which lesson comes next: things more often than signs, composed ones more and more often."""

from __future__ import annotations

import random
from collections import Counter
from itertools import accumulate

from generation.starter.corpus.lessons import Lesson
from generation.starter.training.lesson_states import Curriculum

LEAST_WEIGHT = 1.5  # of a picture that people ask for


class SingleLessons:
    """Lessons of one thing as it is, drawn by how often people would ask for the picture."""

    def __init__(self, curriculum: Curriculum) -> None:
        every = [lesson for lesson in curriculum.lessons if lesson.kind == "one"]
        self._taught = [lesson for lesson in every if not lesson.is_unseen]
        self._weights = [each.weight for each in curriculum.names]
        counts = Counter(lesson.first for lesson in self._taught)
        shares = (self._weights[x.first] / counts[x.first] for x in self._taught)
        self._sums = list(accumulate(shares))
        self._unseen = [lesson for lesson in every if lesson.is_unseen]

    def draw(self, size: int, rng: random.Random) -> list[Lesson]:
        return rng.choices(self._taught, cum_weights=self._sums, k=size)

    def unseen(self, count: int) -> list[Lesson]:
        """Always the same ones, of pictures that people ask for."""
        asked = [x for x in self._unseen if self._weights[x.first] >= LEAST_WEIGHT]
        return random.Random(1).sample(asked, min(count, len(asked)))


class MixedLessons:
    """Single lessons with a share of composed ones."""

    def __init__(self, curriculum: Curriculum) -> None:
        self.single = SingleLessons(curriculum)
        composed = [lesson for lesson in curriculum.lessons if lesson.kind != "one"]
        self._composed = [lesson for lesson in composed if not lesson.is_unseen]
        self.composed_unseen = [lesson for lesson in composed if lesson.is_unseen]

    def draw(self, size: int, share: float, rng: random.Random) -> list[Lesson]:
        """`size` lessons, each with chance `share` a composed one."""
        composed = sum(rng.random() < share for _ in range(size)) if self._composed else 0
        return self.single.draw(size - composed, rng) + rng.choices(self._composed, k=composed)
