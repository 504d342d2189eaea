"""The stylesheet's own promises: AA contrast (WCAG 2.2, 1.4.3 and 1.4.11) in light and dark."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

CSS = (settings.ROOT / "config/static/proofsheet.css").read_text()
TEXT, CONTROL = 4.5, 3.0
PAIRS = [
    *[(ink, ground, TEXT) for ink in ("ink", "ink-soft") for ground in ("paper", "sheet", "sunk")],
    *[("ink", f"{tone}-wash", TEXT) for tone in ("good", "warn", "bad", "pencil")],
    *[(tone, f"{tone}-wash", TEXT) for tone in ("good", "warn", "bad")],
    *[("pencil", ground, TEXT) for ground in ("paper", "sheet")],
    *[("bad", ground, TEXT) for ground in ("paper", "sheet")],
    ("on-pencil", "pencil-fill", TEXT),
    ("on-pencil", "pencil-fill-hover", TEXT),
    ("film-ink", "film", TEXT),
    ("film-ink", "film-raised", TEXT),
    ("film-edge", "film", TEXT),
    ("paper", "ink", TEXT),
    *[("rule-strong", ground, CONTROL) for ground in ("paper", "sheet")],
    *[("pencil", ground, CONTROL) for ground in ("paper", "sheet", "sunk")],
]


def tokens(scheme: str) -> dict[str, str]:
    """Colour tokens by name; dark ones replace the light ones that they name again."""
    light, dark = CSS.split("@media (prefers-color-scheme: dark)", 1)
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark.split("\n}", 1)[0]))
    return found


def luminance(colour: str) -> float:
    def linear(part: str) -> float:
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[at : at + 2]) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_colours_keep_aa_contrast(scheme: str, ink: str, ground: str, least: float) -> None:
    found = tokens(scheme)
    assert contrast(found[ink], found[ground]) >= least


def test_motion_stops_for_those_who_ask_for_less() -> None:
    assert "@media (prefers-reduced-motion: reduce)" in CSS
