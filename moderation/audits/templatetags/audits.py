"""Figures as the audits' pages write them."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

from moderation.audits.tables.audit_report import shown

register = template.Library()


@register.filter
def unbroken(said: str) -> str:
    """A figure that breaks in two lines before its interval alone."""
    estimate, bracket, ends = said.partition(" (")
    return f"{_kept(estimate)}{bracket}{_kept(ends)}"


@register.filter
def signed(value: float) -> str:
    """One decimal, and always a sign but for nought."""
    return f"{value:+.1f}" if round(value, 1) else "0"


def _kept(said: str) -> str:
    return said.replace(" ", "\N{NO-BREAK SPACE}")


@register.filter
def interval(cell: Sequence[float | None]) -> str:
    """A rate with its interval, (value, from, to); a dash where there is none."""
    value, low, high = cell
    if value is None:
        return "–"
    ends = " to ".join(shown(end, "rate").removesuffix(" %") for end in (low, high))
    return unbroken(f"{shown(value, 'rate')} ({ends})")
