"""A small line plot as an SVG data address, for the metadata of a day: a glance, not a report.

No plotting library is loaded for it: the code location must start fast.
"""

import base64
import math
from collections.abc import Sequence

from lotus_assets.stages.context import Plot, thinned

WIDTH, HEIGHT, MARGIN = 480, 120, 14
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")


def plot_markdown(plot: Plot) -> str:
    """Return the plot as a Markdown image; each series is scaled to its own range, which the legend names."""
    return f"![{plot.title}](data:image/svg+xml;base64,{base64.b64encode(svg(plot).encode()).decode()})"


def svg(plot: Plot) -> str:
    """Return the plot as SVG text: one polyline per series over a common axis, nulls as breaks."""
    height = HEIGHT + 13 * len(plot.series)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-size="10">']
    parts.append(f'<text x="4" y="11">{_escaped(plot.title)}</text>')
    for row, (name, values) in enumerate(plot.series.items()):
        colour = COLOURS[row % len(COLOURS)]
        points = thinned(values)
        finite = [v for v in points if math.isfinite(v)]
        low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
        for line in _lines(points, low, high):
            parts.append(f'<polyline fill="none" stroke="{colour}" points="{line}"/>')
        label = _escaped(f"{name} {low:.6g} to {high:.6g}")
        parts.append(f'<text x="4" y="{HEIGHT + 13 * row + 10}" fill="{colour}">{label}</text>')
    return "".join([*parts, "</svg>"])


def _lines(values: Sequence[float], low: float, high: float) -> list[str]:
    span, steps = (high - low) or 1.0, max(1, len(values) - 1)
    runs: list[list[str]] = [[]]
    for i, value in enumerate(values):
        if not math.isfinite(value):
            runs.append([])
            continue
        x = MARGIN + (WIDTH - 2 * MARGIN) * i / steps
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / span
        runs[-1].append(f"{x:.0f},{y:.0f}")
    return [" ".join(run) for run in runs if run]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
