"""Charts of one window over time, in SVG: lines that share a scale, amounts up and down, what experts called.

All have the width and the time axis of `pictures.line_chart`, so that they can stand below each other.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from lotus_console.pictures import CHART_EDGE, CHART_W, number

HEIGHT: Final = 60
ROW: Final = 30  # of one expert: its name, and its calls below
NAME: Final = 12
INNER: Final = CHART_W - 2 * CHART_EDGE


class Strip(NamedTuple):
    """One row of a strip: a name, and values at places 0 to 1 of the time axis, their sign the direction."""

    name: str
    values: Sequence[tuple[float, float]]


def two_lines(
    first: Sequence[float], second: Sequence[float], label: str, unit: str, marks: Sequence[float] = ()
) -> Markup:
    """Return two series over equal steps on one scale, the second one dashed."""
    return _lines((("first", first), ("second", second)), label, unit, marks)


def with_reach(values: Sequence[float], low: Sequence[float], high: Sequence[float], label: str, unit: str) -> Markup:
    """Return a series over equal steps with both ends of its interval dashed, and a line at zero."""
    zero = [0.0] * len(values)
    return _lines((("zero", zero), ("second", low), ("second", high), ("first", values)), label, unit, ())


def _lines(series: Sequence[tuple[str, Sequence[float]]], label: str, unit: str, marks: Sequence[float]) -> Markup:
    finite = [v for _, values in series for v in values if math.isfinite(v)]
    if len(finite) < 2:
        return Markup('<p class="dim">{}: not measured</p>').format(label)
    low, high = min(finite), max(finite)
    lines = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(name, _path(values, low, high)) for name, values in series
    )
    return _figure(label, f"{number(low)} to {number(high)} {unit}", lines, marks, HEIGHT)


def up_and_down(
    up: Sequence[float], down: Sequence[float], label: str, unit: str, marks: Sequence[float] = ()
) -> Markup:
    """Return two amounts of every step as bars, one above and one below the middle, on one scale."""
    largest = max([v for v in (*up, *down) if math.isfinite(v)], default=0.0)
    wide = INNER / max(1, len(up))
    places = [CHART_EDGE + k * wide for k in range(len(up))]
    bars = _bars(
        [*zip(places, up, strict=True), *zip(places, (-v for v in down), strict=True)], wide, HEIGHT / 2, largest
    )
    return _figure(label, f"at most {number(largest)} {unit}" if largest else "none", bars, marks, HEIGHT)


def histogram(counts: Sequence[int], label: str, words: str, marks: Sequence[float] = ()) -> Markup:
    """Return counts of equal steps as bars from below."""
    wide = INNER / max(1, len(counts))
    places = [(CHART_EDGE + k * wide, float(n)) for k, n in enumerate(counts)]
    bars = _bars(places, wide, HEIGHT - 1, max(counts, default=0), HEIGHT - 3)
    return _figure(label, words, bars, marks, HEIGHT)


def strips(rows: Sequence[Strip], label: str, unit: str, step: float, marks: Sequence[float] = ()) -> Markup:
    """Return a row for each of some names with its values as bars up and down, all on one scale.

    `step` is the width of a value, 0 to 1; a value stands left of its place, where its time ends.
    """
    if not rows:
        return Markup('<p class="dim">{}: none in this picture</p>').format(label)
    largest = max((abs(v) for row in rows for _, v in row.values), default=0.0)
    drawn = Markup("")
    for k, row in enumerate(rows):
        drawn += Markup('<text x="{}" y="{}">{}</text>').format(CHART_EDGE, k * ROW + NAME - 2, row.name)
        places = [(CHART_EDGE + INNER * (at - step), value) for at, value in row.values]
        drawn += _bars(places, INNER * step, k * ROW + (ROW + NAME) / 2, largest, (ROW - NAME) / 2)
    return _figure(label, f"at most {number(largest)} {unit}", drawn, marks, len(rows) * ROW + 2)


def _bars(
    values: Sequence[tuple[float, float]], wide: float, middle: float, largest: float, half: float = HEIGHT / 2 - 2
) -> Markup:
    """Return an axis, and a bar for each (left edge, value): above it for what is positive, else below it."""
    paths = {"up": "", "down": ""}
    for x, value in values:
        if value and math.isfinite(value):
            tall = max(1.0, half * abs(value) / largest)
            name, rise = ("up", -tall) if value > 0 else ("down", tall)
            paths[name] += f"M{x:.1f} {middle:g}v{rise:.1f}h{max(wide, 1.0):.1f}v{-rise:.1f}"
    return Markup(
        '<line class="axis" x1="0" x2="{w}" y1="{y}" y2="{y}"/><path class="up" d="{up}"/>'
        '<path class="down" d="{down}"/>'
    ).format(w=CHART_W, y=f"{middle:g}", **paths)


def _path(values: Sequence[float], low: float, high: float) -> str:
    points, pen = [], "M"
    for k, value in enumerate(values):
        if math.isfinite(value):
            x = CHART_EDGE + INNER * k / max(1, len(values) - 1)
            y = HEIGHT - CHART_EDGE - (HEIGHT - 2 * CHART_EDGE) * (value - low) / ((high - low) or 1.0)
            points.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L" if math.isfinite(value) else "M"
    return "".join(points)


def _figure(label: str, words: str, content: Markup, marks: Sequence[float], height: int) -> Markup:
    ticks = Markup("").join(
        Markup('<line class="mark" x1="{x}" x2="{x}" y1="0" y2="{h}"/>').format(
            x=f"{CHART_EDGE + INNER * at:.1f}", h=height
        )
        for at in marks
    )
    return Markup(
        '<figure class="chart"><figcaption>{label} <span class="dim">{words}</span></figcaption>'
        '<svg viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}: {words}">'
        "{ticks}{content}</svg></figure>"
    ).format(label=label, words=words, w=CHART_W, h=height, ticks=ticks, content=content)
