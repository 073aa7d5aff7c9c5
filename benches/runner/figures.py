"""Medians and how figures are written."""

import math
from statistics import median


def of(runs, *keys):
    """The median over runs of a figure at a path of keys; NaN if a run lacks it."""
    values = []
    for figures in runs:
        for key in keys:
            figures = None if figures is None else figures.get(key)
        if figures is not None:
            values.append(figures)
    return median(values) if values else math.nan


def us(value):
    """Microseconds."""
    return "–" if math.isnan(value) else f"{value:.2f} µs"


def number(value):
    """A count with separators."""
    return "–" if math.isnan(value) else f"{value:,.0f}"


def table(rows):
    """A Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)
