"""Figures as the audits' pages write them."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

from moderation.audits.report import shown

register = template.Library()


@register.filter
def interval(cell: Sequence[float | None]) -> str:
    """A rate with its interval, (value, from, to); a dash where there is none."""
    value, low, high = cell
    if value is None:
        return "–"
    ends = " to ".join(shown(end, "rate").removesuffix(" %") for end in (low, high))
    return f"{shown(value, 'rate')} ({ends})"
