"""Pictures in SVG, made on the server: layers of nodes, a bar in its row, lines over time. Colours are the sheet's.

No number is computed here but places in a picture; texts are escaped.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

BOX_W, BOX_H, GAP, LAYER = 196, 46, 14, 250  # px
LETTERS: Final = 29  # of a line in a box
BAR_W, BAR_H = 190, 22
CHART_W, CHART_H, CHART_EDGE = 300, 74, 4


@dataclass(frozen=True, slots=True)
class LoomNode:
    """One box of a picture in layers: two lines of text, an address, and whether it acts here."""

    name: str
    layer: int
    head: str
    text: str
    place: str = ""
    acts: bool = True


def layers(nodes: Sequence[LoomNode], edges: Sequence[tuple[str, str]], label: str) -> Markup:
    """Return nodes in columns by their layer, left to right, with lines between those of `edges` (from, to)."""
    columns = sorted({node.layer for node in nodes})
    tall = max((sum(node.layer == c for node in nodes) for c in columns), default=1)
    height, place = tall * (BOX_H + GAP) + GAP, dict[str, tuple[float, float]]()
    for x, column in enumerate(columns):
        own = [node for node in nodes if node.layer == column]
        free = height - len(own) * (BOX_H + GAP) + GAP
        for y, node in enumerate(own):
            place[node.name] = (x * LAYER + 4, free / 2 + y * (BOX_H + GAP))
    acting = {node.name for node in nodes if node.acts}
    lines = Markup("").join(
        _edge(place[a], place[b], a in acting and b in acting) for a, b in edges if a in place and b in place
    )
    boxes = Markup("").join(_box(node, *place[node.name]) for node in nodes)
    return Markup(
        '<svg class="layers" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="group" aria-label="{label}">{lines}'
        "{boxes}</svg>"
    ).format(w=max(1, len(columns)) * LAYER - (LAYER - BOX_W) + 8, h=height, label=label, lines=lines, boxes=boxes)


def step_bar(before: float, after: float, scale: tuple[float, float]) -> Markup:
    """Return a bar from one value to another on the scale of its table: where a step begins and ends."""
    if not (math.isfinite(before) and math.isfinite(after)):
        return Markup("")
    a, b = _at(before, scale, BAR_W), _at(after, scale, BAR_W)
    colour = "good" if after > before else "bad" if after < before else "dim"
    return Markup(
        '<svg class="step {c}" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'aria-label="{f:+.3f} to {t:+.3f}"><line class="zero" x1="{a}" x2="{a}" y1="0" y2="{h}"/>'
        '<rect x="{x}" y="5" width="{d}" height="12" rx="2"/></svg>'
    ).format(
        c=colour, w=BAR_W, h=BAR_H, f=before, t=after, a=f"{a:.1f}", x=f"{min(a, b):.1f}",
        d=f"{max(abs(b - a), 1.5):.1f}",
    )  # fmt: skip


def line_chart(
    values: Sequence[float], label: str, unit: str, marks: Sequence[float] = (), height: int = CHART_H
) -> Markup:
    """Return a series as a line over equal steps, its least and largest value beside it; `marks` are places 0 to 1."""
    finite = [v for v in values if math.isfinite(v)]
    if len(finite) < 2:
        return Markup('<p class="dim">{}: not measured</p>').format(label)
    low, high = min(finite), max(finite)
    points, pen = [], "M"
    for k, value in enumerate(values):
        if not math.isfinite(value):
            pen = "M"
            continue
        x = CHART_EDGE + (CHART_W - 2 * CHART_EDGE) * k / max(1, len(values) - 1)
        y = height - CHART_EDGE - (height - 2 * CHART_EDGE) * (value - low) / ((high - low) or 1.0)
        points.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    ticks = Markup("").join(
        Markup('<line class="mark" x1="{x}" x2="{x}" y1="0" y2="{h}"/>').format(
            x=f"{CHART_EDGE + (CHART_W - 2 * CHART_EDGE) * at:.1f}", h=height
        )
        for at in marks
    )
    return Markup(
        '<figure class="chart"><figcaption>{label} <span class="dim">{low} to {high} {unit}</span>'
        '</figcaption><svg viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}: {low} to '
        '{high} {unit}">{ticks}<path d="{d}"/></svg></figure>'
    ).format(
        label=label, low=number(low), high=number(high), unit=unit, w=CHART_W, h=height, ticks=ticks, d="".join(points)
    )


def number(value: float) -> str:
    """Return a number in few digits, without a power of ten.

    >>> number(2034163.4), number(101134.25), number(0.0985304)
    ('2,034,163', '101,134.2', '0.09853')
    """
    return f"{value:,.0f}" if abs(value) >= 1e6 else f"{value:,.1f}" if abs(value) >= 1e4 else f"{value:,.4g}"


def scale_over(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and largest of some finite values, apart from each other."""
    finite = [v for v in values if math.isfinite(v)] or [0.0]
    return (min(finite), max(finite)) if max(finite) > min(finite) else (min(finite) - 1.0, max(finite) + 1.0)


def shade(value: float, largest: float, steps: int = 4) -> str:
    """Return the class of a cell on a scale of two colours: `lo4` to `lo1`, `mid`, `hi1` to `hi4`, `none` for no value.

    >>> shade(2.0, 2.0), shade(-.1, 2.0), shade(0.0, 2.0), shade(float("nan"), 2.0)
    ('hi4', 'lo1', 'mid', 'none')
    """
    if not math.isfinite(value):
        return "none"
    if value == 0.0 or largest <= 0.0:
        return "mid"
    step = min(steps, max(1, math.ceil(abs(value) / largest * steps - 1e-9)))
    return f"{'hi' if value > 0.0 else 'lo'}{step}"


def shortened(text: str, letters: int = LETTERS) -> str:
    """Return a text that fits a box."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _at(value: float, scale: tuple[float, float], width: int) -> float:
    return 6 + (width - 12) * (value - scale[0]) / (scale[1] - scale[0])


def _edge(start: tuple[float, float], end: tuple[float, float], acts: bool) -> Markup:
    x1, y1, x2, y2 = start[0] + BOX_W, start[1] + BOX_H / 2, end[0], end[1] + BOX_H / 2
    path = f"M{x1:.0f} {y1:.0f}C{(x1 + x2) / 2:.0f} {y1:.0f} {(x1 + x2) / 2:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return Markup('<path class="edge{}" d="{}"/>').format("" if acts else " off", path)


def _box(node: LoomNode, x: float, y: float) -> Markup:
    words: Mapping[str, object] = {
        "x": f"{x:.0f}", "y": f"{y:.0f}", "w": BOX_W, "h": BOX_H, "tx": f"{x + 10:.0f}", "ty": f"{y + 18:.0f}",
        "by": f"{y + 35:.0f}", "off": "" if node.acts else " off", "head": shortened(node.head),
        "text": shortened(node.text), "full": f"{node.head}: {node.text}",
    }  # fmt: skip
    box = Markup(
        '<g class="box{off}"><title>{full}</title><rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6"/>'
        '<text x="{tx}" y="{ty}">{head}</text><text class="ink" x="{tx}" y="{by}">{text}</text></g>'
    ).format_map(words)
    return Markup('<a href="{}">{}</a>').format(node.place, box) if node.place else box
